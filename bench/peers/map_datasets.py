"""datasets.map over a JSONL file, to a JSONL file. python map_datasets.py FILE OUT PROCESSES rows|batched"""
import json, sys, time, shutil, tempfile, os

file, out, processes, form = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4]
cache = tempfile.mkdtemp()
os.environ["HF_HOME"] = cache
os.environ["HF_DATASETS_DISABLE_PROGRESS_BARS"] = "1"
import datasets

def clean(row):
    return {"text": row["text"].strip()}

def clean_batch(batch):
    return {"text": [text.strip() for text in batch["text"]]}

started = time.perf_counter()
ds = datasets.load_dataset("json", data_files=file, split="train", cache_dir=cache)
if form == "rows":
    ds = ds.filter(lambda row: len(row["text"]) >= 20, num_proc=processes).map(clean, num_proc=processes)
else:
    ds = ds.filter(lambda batch: [len(text) >= 20 for text in batch["text"]], batched=True, num_proc=processes).map(clean_batch, batched=True, num_proc=processes)
ds.to_json(out, num_proc=processes)
print(json.dumps({"elapsedMs": (time.perf_counter() - started) * 1000}))
shutil.rmtree(cache, ignore_errors=True)
