"""Runs the worker as a self-hosted installation does; only Firebase's SDK calls the sandbox.

Run as ``python -m local.worker_host [FUNCTION …]`` with FCM_URL and the worker's own environment.
"""

import runpy

from local import fcm

if __name__ == "__main__":
    fcm.use_sandbox()
    runpy.run_module("functions.worker", run_name="__main__", alter_sys=True)
