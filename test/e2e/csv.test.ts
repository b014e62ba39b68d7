import { gzipSync } from "node:zlib";
import { describe, expect, test } from "vitest";
import { writeJsonl } from "../../src/data/lists/jsonl-writer.js";
import { counts, createPlace, taskFile } from "./kagurazaka.js";

const inline = ["--backbone", "inline", "--json"];
const row = [taskFile("lists.ts"), "Row", ...inline];
const tell = (mode: string): string[] => [taskFile("lists.ts"), "Tell", ...inline, "--mixin", `input_mode=${mode}`];

describe.concurrent("tables", () => {
  test("quotes, newlines, a byte order mark and CRLF; the same command skips finished rows", async () => {
    const place = createPlace({ "table.csv": '\ufeffid,text\r\na,"one, ""two"""\r\nb,"x\r\ny"\r\n\r\n007,é' });
    const { json, stderr } = await place.run(row);
    expect(json.counts, stderr).toEqual(counts({ done: 3 }));
    expect(place.files("out")).toEqual({ "a.txt": 'one, "two"', "b.txt": "x\r\ny", "007.txt": "é" });
    expect((await place.run(row)).json.counts).toEqual(counts({ skipped: 3 }));
  });

  test("{use: InputFromCsv, …} from --mixin; .gz, .tsv by name, stdin", async () => {
    const place = createPlace({
      "t.csv.gz": gzipSync("n,text\n1,a\n"),
      "t.tsv": "n\ttext\n2\tb,c\n",
      "plain.txt": "3;d\n",
    });
    await writeJsonl(place.path("t.zst"), [["n", "4"]]);
    const told = async (mode: string, piped?: string) => {
      const ended = await (piped === undefined ? place.run(tell(mode)) : place.pipe(tell(mode), piped).ended);
      return /told (.*)/.exec(ended.stderr)?.[1] ?? ended.stderr;
    };
    expect(await told("{use: InputFromCsv, csv_path: t.csv.gz}")).toBe('{"n":"1","text":"a"}');
    expect(await told("{use: InputFromCsv, csvPath: t.tsv, key_field: n}")).toBe('{"n":"2","text":"b,c"}');
    expect(await told('{use: InputFromCsv, csv_path: plain.txt, delimiter: ";", header: [n, text]}')).toBe(
      '{"n":"3","text":"d"}',
    );
    expect(await told("{use: InputFromCsv, csv_path: t.zst}")).toBe('{"n":"4"}');
    expect(await told('{use: InputFromCsv, csv_path: "-", delimiter: "\\\\t"}', "n\tm\n5\t6\n")).toBe(
      '{"m":"6","n":"5"}',
    );
  });

  test("a ragged row ends the listing at its line; what came before ran, and a mended file goes on", async () => {
    const place = createPlace({ "table.csv": "id,text\na,1\nb,2,3\nc,4\n" });
    const { code, json, stderr } = await place.run(row);
    expect([code, json.counts]).toEqual([1, counts({ done: 1 })]);
    expect(stderr).toContain("table.csv:3: the row has 3 fields, not 2");
    place.write({ "table.csv": 'id,text\na,1\nb,"2,3"\nc,4\n' });
    expect((await place.run(row)).json.counts).toEqual(counts({ done: 2, skipped: 1 }));
  });

  test("a key that comes twice is one item's failure; without a key field, rows are told apart", async () => {
    const place = createPlace({ "table.csv": "id,text\na,1\na,2\n" });
    expect((await place.run(row)).json.counts).toEqual(counts({ done: 1, failed: 1 }));
    const args = tell("{use: InputFromCsv, csv_path: table.csv}");
    expect((await place.run(args)).json.counts).toEqual(counts({ done: 2 }));
  });

  test("a table that was read with another delimiter is spotted", async () => {
    const place = createPlace({ "t.csv": "id;text\na;1\n" });
    const { stderr } = await place.run(tell("{use: InputFromCsv, csv_path: t.csv}"));
    expect(stderr).toContain('is the delimiter another than ","?');
  });
});

describe.concurrent("mistakes in tables and of their fields", () => {
  const cases: readonly (readonly [string, string, string[], RegExp])[] = [
    [
      "a file that is not there",
      "id,text\n",
      ["input_mode.csv_path=tabel.csv"],
      /tabel\.csv does not exist\. Did you mean "table\.csv"\?\n +at input_mode\.csv_path/,
    ],
    [
      "a key field that no column has",
      "id,text\na,1\n",
      ["input_mode.key_field=Id2"],
      /key_field is "Id2", but .*table\.csv:1 names no such column\. Did you mean "id"\?[\s\S]*Columns: id, text\./,
    ],
    [
      "a key field that no named column has",
      "a,1\n",
      ["input_mode.header=[name, text]"],
      /key_field is "id", but input_mode\.header names no/,
    ],
    ["a header that is no list", "a,1\n", ["input_mode.header=false"], /header must be true or a list of names/],
    ["a delimiter of two characters", "a,1\n", ["input_mode.delimiter=::"], /delimiter is "::", not one character/],
  ];
  for (const [what, table, mixin, message] of cases) {
    test(what, async () => {
      const place = createPlace({ "table.csv": table });
      const { code, stderr } = await place.run([...row, "--mixin", ...mixin]);
      expect(stderr).toMatch(message);
      expect(code).toBe(2);
    });
  }

  test("a column with a name that modes give", async () => {
    for (const name of ["input", "output", "output_x", "result"]) {
      const place = createPlace({ "table.csv": `id,${name}\na,1\n` });
      const { code, stderr } = await place.run(tell("{use: InputFromCsv, csv_path: table.csv}"));
      expect([code, stderr]).toEqual([1, expect.stringContaining(`table.csv:1: a column is named "${name}"`)]);
    }
  });
});
