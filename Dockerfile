# The publisher. The default command is the API; the sweeper and the migration run the same image with another command.
FROM python:3.11-slim-trixie AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements/publisher.txt /tmp/requirements.txt
RUN /venv/bin/pip install --require-hashes --only-binary=:all: -r /tmp/requirements.txt

FROM python:3.11-slim-trixie
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PORT=8080
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin heliograph
COPY --from=build /venv /venv
WORKDIR /srv
COPY shared shared
COPY postgres postgres
COPY transport transport
COPY publisher_api publisher_api
USER 10001
EXPOSE 8080
HEALTHCHECK --interval=10s --timeout=5s --start-period=10s \
  CMD ["python", "-c", "import os, urllib.request as u; u.urlopen(f'http://127.0.0.1:{os.environ[\"PORT\"]}/health/ready', timeout=4)"]
# One process per container, because the micro-batcher groups the requests of one process. Scale with more containers.
CMD ["sh", "-c", "exec python -m uvicorn publisher_api.main:app --host 0.0.0.0 --port $PORT --http publisher_api.hosting.server:HttpConnection --ws publisher_api.hosting.server:SocketConnection --ws-max-size 65536 --ws-per-message-deflate false --no-access-log --proxy-headers --forwarded-allow-ips='*' --timeout-graceful-shutdown 20"]
