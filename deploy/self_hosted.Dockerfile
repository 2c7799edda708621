# The self-hosted profiles: one image for the publisher, the worker and the migration. The default command is the
# publisher; the others run it with another command. Build it in the repository's root:
#   docker build --file deploy/self_hosted.Dockerfile --tag heliograph .
ARG PYTHON=3.13-slim-trixie
FROM python:$PYTHON AS build
ENV PIP_DISABLE_PIP_VERSION_CHECK=1 PIP_NO_CACHE_DIR=1
RUN python -m venv /venv
COPY requirements/self_hosted.txt /tmp/requirements.txt
RUN /venv/bin/pip install --require-hashes --only-binary=:all: -r /tmp/requirements.txt

FROM python:$PYTHON
ENV PATH=/venv/bin:$PATH PYTHONDONTWRITEBYTECODE=1 PYTHONUNBUFFERED=1 PORT=8080
RUN useradd --system --uid 10001 --no-create-home --shell /usr/sbin/nologin heliograph
COPY --from=build /venv /venv
WORKDIR /srv
COPY shared shared
COPY postgres postgres
COPY transport transport
COPY functions functions
COPY publisher_api publisher_api
USER 10001
EXPOSE 8080
# One process per container, because the micro-batcher groups the requests of one process. Scale with more containers.
CMD ["sh", "-c", "exec python -m uvicorn publisher_api.main:app --host 0.0.0.0 --port $PORT --http publisher_api.hosting.server:HttpConnection --ws publisher_api.hosting.server:SocketConnection --ws-max-size 65536 --ws-per-message-deflate false --no-access-log --proxy-headers --forwarded-allow-ips='*' --timeout-graceful-shutdown 20"]
