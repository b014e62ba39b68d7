"""Celery over no-op tasks through Redis. python3 celery_peer.py URL ITEMS: starts a worker with 2 processes and sends to it."""

import json
import subprocess
import sys
import time

from celery import Celery

URL, ITEMS = sys.argv[-2], int(sys.argv[-1])
app = Celery("celery_peer", broker=URL)
app.conf.update(task_ignore_result=True, worker_prefetch_multiplier=256, worker_hijack_root_logger=False)


@app.task(name="no_op")
def no_op(i, path):
    pass


def main():
    import redis

    client = redis.Redis.from_url(URL)
    words = ["worker", "--concurrency=2", "--loglevel=ERROR", "--without-gossip", "--without-mingle", "--without-heartbeat"]
    command = [sys.executable, __file__, "--worker", *words, URL, str(ITEMS)]
    worker = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    try:
        while not app.control.ping(timeout=0.5):
            pass
        started = time.perf_counter()
        with app.producer_pool.acquire(block=True) as producer:
            for i in range(ITEMS):
                no_op.apply_async((i, f"data/{i}.bin"), producer=producer)
        while client.llen("celery") > 0 or client.hlen("unacked") > 0:
            time.sleep(0.01)
        elapsed = time.perf_counter() - started
    finally:
        worker.kill()
    print(json.dumps({"elapsedMs": elapsed * 1000}))


if __name__ == "__main__":
    if sys.argv[1] == "--worker":
        app.worker_main(sys.argv[2:-2])
    else:
        main()
