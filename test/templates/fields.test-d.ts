/** Checked by `tsc -p tsconfig.json`, not run: each `@ts-expect-error` is a mistake that must stay one. */
import {
  defineFinishCheck,
  defineHardShardMode,
  defineInputMode,
  defineOutputMode,
  defineSoftShard,
  type FileTriplet,
  type OutputFile,
} from "../../src/kit.js";

const fields = {
  needed: { type: "strings", required: true, help: "required: always there" },
  filled: { type: "integer", default: 3, help: "with a default: always there" },
  unset: { type: "string", help: "neither: may be undefined" },
  off: { type: "string", nullable: true, default: null, help: "nullable: may be null" },
  quote: { type: "string", nullable: true, default: '"', help: "nullable, whatever its default is" },
  choice: { type: "string", choices: ["a", "b"], default: "a", help: "one of its choices" },
  open: { type: "json", default: true, help: "anything: the mode has to look" },
} as const;

const common = { help: "for the compiler", yields: "file", uniqueKeys: true, readsInputRoot: true } as const;
const takes = <T>(value: T): T => value;

export const typed = defineInputMode<{ input: FileTriplet }>()({
  name: "Typed",
  ...common,
  fields,
  *list({ needed, filled, unset, off, quote, choice, open }) {
    takes<readonly string[]>(needed);
    takes<number>(filled);
    takes<string | undefined>(unset);
    takes<string | null>(off);
    takes<string | null>(quote);
    takes<"a" | "b">(choice);
    takes<unknown>(open);
    // @ts-expect-error The value may be unset.
    takes<string>(unset);
    // @ts-expect-error It may be switched off, though its default is a text.
    takes<string>(quote);
    // @ts-expect-error A list, not a text.
    takes<string>(needed);
    yield [];
  },
});

export const misspelt = defineInputMode<{ input: FileTriplet }>()({
  name: "Misspelt",
  ...common,
  fields: { exts: { type: "strings", required: true } },
  // @ts-expect-error The field is `exts`.
  yields: ({ ext }) => (ext ? "file" : "record"),
  // @ts-expect-error The field is `exts`.
  check: ({ ext }) => void ext,
  // @ts-expect-error The field is `exts`.
  files: ({ ext }) => [ext],
  // @ts-expect-error The field is `exts`.
  keyField: ({ ext }) => ext,
  // @ts-expect-error The field is `exts`.
  *list({ ext }) {
    yield [ext];
  },
});

export const misspeltElsewhere = [
  defineHardShardMode({
    name: "A",
    help: "",
    fields: { inputPath: { type: "string", required: true } },
    // @ts-expect-error The field is `inputPath`.
    roots: ({ input }) => [{ inputPath: input, outputPath: null }],
  }),
  defineSoftShard({
    name: "B",
    help: "",
    fields: { every: { type: "integer", default: 1 } },
    // @ts-expect-error The field is `every`.
    selector({ nth }) {
      return (index) => index % nth === 0;
    },
    // @ts-expect-error The field is `every`.
    scope: ({ nth }) => [{ indices: [0], of: nth }],
  }),
  defineOutputMode<{ output: OutputFile }>()({
    name: "C",
    help: "",
    fields: { ext: { type: "string", required: true } },
    accepts: "file",
    unique: true,
    // @ts-expect-error The field is `ext`.
    outputs: ({ exts }, { key }) => [{ field: "output", relPath: key + exts, type: "file" }],
  }),
  defineFinishCheck({
    name: "D",
    help: "",
    fields: { minBytes: { type: "size", default: 0 } },
    // @ts-expect-error The field is `minBytes`.
    rule: ({ bytes }) => ({ by: "files", minBytes: bytes, select: (outputs) => outputs }),
  }),
];

/** As modes were written before their fields had types. */
export const casts = defineInputMode<{ input: FileTriplet }>()({
  name: "Casts",
  ...common,
  fields: { exts: { type: "strings", required: true }, header: { type: "json", default: true } },
  keyField: (values) => (values as unknown as { exts: string[] }).exts[0],
  *list(values, { root }) {
    const { exts, header } = values as { exts: string[]; header: true | string[] };
    yield [{ input: { exts, header, root } }];
  },
});
