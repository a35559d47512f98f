# The service as a small image: built from the same lock file as everything else, run by a user without rights.
FROM python:3.11-slim AS build
WORKDIR /build
RUN python -m venv /opt/phaseloop
COPY requirements.lock ./
RUN /opt/phaseloop/bin/pip install --no-cache-dir --require-hashes -r requirements.lock
COPY connectors connectors
COPY sandbox sandbox
COPY service service
COPY simulation simulation
COPY templates templates
# The packages are pure Python and import each other by name: copying them is installing them.
RUN site="$(/opt/phaseloop/bin/python -c 'import sysconfig; print(sysconfig.get_path("purelib"))')" \
 && cp -r connectors sandbox service simulation templates "$site"/ \
 && printf '#!/opt/phaseloop/bin/python\nfrom service.cli import main\nmain()\n' > /opt/phaseloop/bin/phaseloop \
 && chmod 755 /opt/phaseloop/bin/phaseloop \
 && /opt/phaseloop/bin/python -m compileall -q "$site"/service "$site"/connectors "$site"/sandbox "$site"/simulation

FROM python:3.11-slim
RUN useradd --system --uid 10001 --home-dir /var/lib/phaseloop --create-home phaseloop
COPY --from=build /opt/phaseloop /opt/phaseloop
ENV PATH=/opt/phaseloop/bin:$PATH \
    PYTHONUNBUFFERED=1 \
    PHASELOOP_HOME=/var/lib/phaseloop \
    PHASELOOP_HOST=0.0.0.0 \
    PHASELOOP_PORT=8000
USER phaseloop
WORKDIR /var/lib/phaseloop
VOLUME /var/lib/phaseloop
EXPOSE 8000
HEALTHCHECK --interval=15s --timeout=3s --start-period=20s --retries=3 \
  CMD ["python", "-c", "import os, urllib.request as u; u.build_opener(u.ProxyHandler({})).open(f\"http://127.0.0.1:{os.environ['PHASELOOP_PORT']}/readyz\", timeout=2)"]
ENTRYPOINT ["phaseloop"]
CMD ["serve"]
