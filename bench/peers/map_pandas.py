"""pandas over a CSV file, to a JSONL file. python map_pandas.py FILE OUT"""
import json, sys
import pandas

file, out = sys.argv[1:]
table = pandas.read_csv(file)
table = table[table["text"].str.len() >= 20].assign(text=lambda kept: kept["text"].str.strip())
table.to_json(out, orient="records", lines=True)
print(json.dumps({"count": len(table)}))
