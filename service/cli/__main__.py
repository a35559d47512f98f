"""`python -m service.cli`, the same as the `phaseloop` command."""

from service.cli.main import main

main()
