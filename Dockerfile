# Two stages: the first installs, the second only runs. Build with: docker build -t madeby .
FROM python:3.11-slim AS build
WORKDIR /build
COPY pyproject.toml README.md LICENSE ./
COPY src src
RUN python -m venv --without-pip /opt/madeby \
 && python -m pip --python /opt/madeby/bin/python install --no-cache-dir '.[web,postgres,parquet,s3]'

FROM python:3.11-slim
RUN python -m pip uninstall --yes --quiet --root-user-action=ignore pip \
 && useradd --uid 10001 --no-create-home --home-dir /data --shell /usr/sbin/nologin madeby \
 && install --directory --owner=madeby --group=madeby --mode=0700 /data
COPY --from=build /opt/madeby /opt/madeby
ENV PATH=/opt/madeby/bin:$PATH \
    PYTHONDONTWRITEBYTECODE=1 \
    PYTHONUNBUFFERED=1 \
    PORT=8000 \
    MADEBY_DATA=/data \
    MADEBY_HOME=/data/models
# by number, so that an orchestrator can see that it is not root
USER 10001:10001
WORKDIR /data
VOLUME /data
EXPOSE 8000
HEALTHCHECK --interval=30s --timeout=5s --start-period=20s \
  CMD ["python", "-c", "import os, urllib.request as r; r.urlopen(f'http://127.0.0.1:{os.environ.get(\"MADEBY_PORT\") or os.environ[\"PORT\"]}/readyz', timeout=4)"]
STOPSIGNAL SIGTERM
CMD ["madeby", "serve", "--host", "0.0.0.0"]
