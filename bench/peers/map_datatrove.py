"""datatrove over a JSONL file: reader, filter, writer. python map_datatrove.py FILE OUT WORKERS"""
import contextlib, json, os, shutil, sys, tempfile, time

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.filters import LambdaFilter
from datatrove.pipeline.readers import JsonlReader
from datatrove.pipeline.writers import JsonlWriter

def strip(data, rank=0, world_size=1):
    for document in data:
        document.text = document.text.strip()
        yield document

def cut(file, folder, count):
    """A task gets whole files: the file as one for each. Lines in turns, before the clock starts."""
    parts = [open(os.path.join(folder, f"{i}.jsonl"), "wb") for i in range(count)]
    with open(file, "rb") as lines:
        for i, line in enumerate(lines):
            parts[i % count].write(line)
    for part in parts:
        part.close()

if __name__ == "__main__":
    file, out, workers = sys.argv[1], sys.argv[2], int(sys.argv[3])
    scratch = tempfile.mkdtemp()
    folder = os.path.join(scratch, "in")
    os.mkdir(folder)
    cut(file, folder, workers)
    started = time.perf_counter()
    with contextlib.redirect_stdout(sys.stderr):
        LocalPipelineExecutor(
            pipeline=[
                JsonlReader(folder, glob_pattern="*.jsonl"),
                LambdaFilter(lambda document: len(document.text) >= 20),
                strip,
                JsonlWriter(out, output_filename="${rank}.jsonl", compression=None, expand_metadata=True),
            ],
            tasks=workers,
            workers=workers,
            logging_dir=os.path.join(scratch, "logs"),
        ).run()
    print(json.dumps({"elapsedMs": (time.perf_counter() - started) * 1000}))
    shutil.rmtree(scratch, ignore_errors=True)
