"""multiprocessing.Pool over no-op items. python3 pool.py PROCESSES ITEMS CHUNKSIZE"""

import json
import sys
import time
from multiprocessing import Pool


def list_items(count):
    for i in range(count):
        yield {"i": i, "path": f"data/{i}.bin"}


def no_op(item):
    pass


def main():
    processes, count, chunksize = map(int, sys.argv[1:])
    with Pool(processes) as pool:
        started = time.perf_counter()
        for _ in pool.imap_unordered(no_op, list_items(count), chunksize=chunksize):
            pass
        elapsed = time.perf_counter() - started
    print(json.dumps({"elapsedMs": elapsed * 1000}))


if __name__ == "__main__":
    main()
