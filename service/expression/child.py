"""The process in which expressions are evaluated: one request a line on standard input, one answer a line on standard
output. It bounds its own memory; whoever started it bounds its time. It imports nothing of ours."""

from __future__ import annotations

import json
import sys
from typing import Any

MEMORY = 512 * 1024 * 1024
"""Bytes of address space. The library itself takes about 50 MB."""

LONGEST_VALUE = 100_000
"""Characters of a value, as JSON."""


def bound() -> None:
    """Let this process have no more than that, where the system can."""
    try:
        import resource
    except ImportError:
        return
    try:
        resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
        resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    except (ValueError, OSError):
        return


def main() -> None:
    """Answer until nobody asks any more."""
    bound()
    from cel_expr_python import cel
    from cel_expr_python.ext import ext_strings

    names = {"payload": cel.Type.DYN, "event": cel.Type.STRING, "source": cel.Type.STRING}
    environment = cel.NewEnv(variables=names, extensions=[ext_strings.ExtStrings()])
    compiled: dict[str, Any] = {}

    def prepared(expression: str) -> Any:
        if expression not in compiled:
            if len(compiled) > 500:
                compiled.clear()
            compiled[expression] = environment.compile(expression)
        return compiled[expression]

    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answers(json.loads(line), prepared)) + "\n")
        sys.stdout.flush()


def _answers(request: dict[str, Any], prepared: Any) -> list[dict[str, Any]]:
    return [_answer(expression, request.get("variables"), prepared) for expression in request["expressions"]]


def _answer(expression: str, variables: dict[str, Any] | None, prepared: Any) -> dict[str, Any]:
    """Its type where there are no variables, else its value; or what is wrong with it."""
    try:
        ready = prepared(expression)
        if variables is None:
            return {"type": ready.return_type().name()}
        value = ready.eval(data=variables)
        if value.type().name() == "ERROR":
            return {"error": str(value.plain_value())}
        text = json.dumps(value.plain_value(), default=str)
    except MemoryError:
        return {"error": "it takes too much memory"}
    except Exception as error:  # noqa: BLE001 - the library raises what it likes, and all of it is the expression's
        return {"error": str(error) or type(error).__name__}
    if len(text) > LONGEST_VALUE:
        return {"error": f"its value has more than {LONGEST_VALUE} characters"}
    return {"value": json.loads(text)}


if __name__ == "__main__":
    main()
