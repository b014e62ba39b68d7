import fs, {
  existsSync,
  linkSync,
  mkdirSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { syncBuiltinESMExports } from "node:module";
import { join, relative } from "node:path";
import { afterEach, describe, expect, test } from "vitest";
import type { FinishRule, OutputEntry } from "../../../src/contracts/modes.js";
import { RootGuard } from "../../../src/runner/program/safe-path.js";
import { Publication } from "../../../src/runner/worker/publication.js";
import { foldNames, unfoldNames } from "../../base/fold-names.js";
import { tempDir } from "../temp-dir.js";

const file = (relPath: string, field = "output"): OutputEntry => ({ field, relPath, type: "file" });
const directory = (relPath: string): OutputEntry => ({ field: "output", relPath, type: "directory" });
const finishedBy = (field: string, minBytes = 0): FinishRule => ({
  by: "files",
  minBytes,
  select: (entries) => entries.filter((entry) => entry.field === field),
});

interface Place {
  readonly root: string;
  readonly staging: string;
  readonly publication: Publication;
  /** Begins these outputs and writes them, each with its field as text. */
  write(entries: readonly OutputEntry[]): void;
  /** Files below the root, and in staging. */
  list(): { root: string[]; staging: string[] };
}

function create(
  options: { atomic?: boolean; durable?: boolean; finish?: FinishRule | null; staging?: string } = {},
): Place {
  const root = tempDir();
  const { atomic = true, durable = false, finish = null, staging = join(root, ".kagurazaka/staging/run") } = options;
  mkdirSync(staging, { recursive: true });
  const publication = new Publication(join(staging, "0-0"), root, new RootGuard(root), { atomic, durable, finish });
  return {
    root,
    staging,
    publication,
    write(entries) {
      const files = publication.begin(entries);
      for (const { field, type } of entries) if (type === "file") writeFileSync(files[field]!.path, field);
    },
    list: () => ({ root: filesBelow(root).filter((path) => !path.startsWith(".")), staging: filesBelow(staging) }),
  };
}

function filesBelow(dir: string): string[] {
  const entries = readdirSync(dir, { recursive: true, withFileTypes: true });
  const files = entries.filter((entry) => entry.isFile());
  return files.map((entry) => relative(dir, join(entry.parentPath, entry.name))).toSorted();
}

afterEach(unfoldNames);

describe("a file", () => {
  test("is written under its final base name in staging, and is at its final place once it is published", () => {
    const { root, staging, publication, list } = create();
    const { output } = publication.begin([file("sub/a.json")]);
    expect(output).toEqual({
      path: join(staging, "0-0/a.json"),
      finalPath: join(root, "sub/a.json"),
      relDir: "sub",
      fileName: "a.json",
    });
    writeFileSync(output!.path, "new");
    expect(list().root).toEqual([]);
    publication.publish();
    expect(list()).toEqual({ root: ["sub/a.json"], staging: [] });
  });

  test("replaces an existing file", () => {
    const { root, publication, write } = create();
    writeFileSync(join(root, "a.json"), "old");
    write([file("a.json")]);
    publication.publish();
    expect(readFileSync(join(root, "a.json"), "utf8")).toBe("output");
  });

  test("is published with the other files that the item wrote beside it", () => {
    const { staging, publication, write, list } = create();
    write([file("sub/a.json")]);
    writeFileSync(join(staging, "0-0/a.log"), "");
    publication.publish();
    expect(list()).toEqual({ root: ["sub/a.json", "sub/a.log"], staging: [] });
  });
});

describe("what proves completion is published last", () => {
  // The other one cannot take its place: so it is seen which one went first.
  test.each([
    ["a.json", "b.json"],
    ["b.json", "a.json"],
  ])("%s, after %s", (proof, other) => {
    const { root, publication, write } = create({ finish: finishedBy("output_proof") });
    mkdirSync(join(root, other));
    write([file(proof, "output_proof"), file(other, "output_other")]);
    expect(() => publication.publish()).toThrow();
    expect(existsSync(join(root, proof))).toBe(false);
  });

  test("after side files that are not declared", () => {
    const { root, staging, publication, write } = create({ finish: finishedBy("output") });
    mkdirSync(join(root, "z.log"));
    write([file("a.json")]);
    writeFileSync(join(staging, "0-0/z.log"), "");
    expect(() => publication.publish()).toThrow();
    expect(existsSync(join(root, "a.json"))).toBe(false);
  });

  test("in a directory that is there already", () => {
    const { root, publication, write } = create({ finish: finishedBy("output_proof") });
    mkdirSync(join(root, "d/b"), { recursive: true });
    write([directory("d"), file("d/a", "output_proof"), file("d/b", "output_other")]);
    expect(() => publication.publish()).toThrow();
    expect(existsSync(join(root, "d/a"))).toBe(false);
  });
});

describe("a directory", () => {
  test("that does not exist yet appears complete, with its content", () => {
    const { root, publication, list } = create();
    const { output, output_index } = publication.begin([directory("sub/d"), file("sub/d/index", "output_index")]);
    writeFileSync(output_index!.path, "");
    mkdirSync(join(output!.path, "deep"));
    writeFileSync(join(output!.path, "deep/more"), "");
    expect(existsSync(join(root, "sub"))).toBe(false);
    publication.publish();
    expect(list()).toEqual({ root: ["sub/d/deep/more", "sub/d/index"], staging: [] });
  });

  test("that is there gets the new files, and keeps the others", () => {
    const { root, publication, list } = create();
    mkdirSync(join(root, "d/deep"), { recursive: true });
    writeFileSync(join(root, "d/kept"), "");
    writeFileSync(join(root, "d/deep/old"), "old");
    const { output } = publication.begin([directory("d")]);
    mkdirSync(join(output!.path, "deep"));
    writeFileSync(join(output!.path, "deep/old"), "new");
    publication.publish();
    expect(list()).toEqual({ root: ["d/deep/old", "d/kept"], staging: [] });
    expect(readFileSync(join(root, "d/deep/old"), "utf8")).toBe("new");
  });
});

describe("an output that is no good is refused, and nothing is published", () => {
  const two = [file("a.json", "output_a"), file("b.json", "output_b")];

  test("not written", () => {
    const { publication, list } = create();
    const { output_a } = publication.begin(two);
    writeFileSync(output_a!.path, "");
    expect(() => publication.publish()).toThrow(
      expect.objectContaining({
        code: "no-output",
        message: 'the task returned without writing output_b ("b.json")',
        hint: 'Write output_b.path, or return ctx.filtered("why") when there is nothing to write.',
      }) as Error,
    );
    expect(list().root).toEqual([]);
  });

  test("a directory of that name", () => {
    const { publication } = create();
    const { output } = publication.begin([file("a.json")]);
    mkdirSync(output!.path);
    expect(() => publication.publish()).toThrow("output should be a file, but the task made a directory of that name");
  });

  test("smaller than the finish check allows, when it looks at this output", () => {
    const { publication, write, list } = create({ finish: finishedBy("output_b", 9) });
    write(two);
    expect(() => publication.publish()).toThrow("output_b has 8 bytes; the finish check needs at least 9");
    expect(list().root).toEqual([]);
  });

  test("small, where the finish check does not look, is good", () => {
    const { publication, write, list } = create({ finish: finishedBy("output_b", 8) });
    const files = publication.begin(two);
    write(two);
    writeFileSync(files.output_a!.path, "");
    publication.publish();
    expect(list().root).toEqual(["a.json", "b.json"]);
  });
});

describe("staging", () => {
  test("is emptied when an item is given up", () => {
    const { staging, publication, write, list } = create();
    write([file("a.json")]);
    mkdirSync(join(staging, "0-0/left"));
    writeFileSync(join(staging, "0-0/left/over"), "");
    publication.discard();
    expect(list()).toEqual({ root: [], staging: [] });
    write([file("b.json")]);
    publication.publish();
    expect(list().root).toEqual(["b.json"]);
  });

  test("is empty for the first item, whatever a dead worker of that name has left", () => {
    const { staging, publication, write, list } = create();
    mkdirSync(join(staging, "0-0"));
    writeFileSync(join(staging, "0-0/old"), "");
    write([file("a.json")]);
    publication.publish();
    expect(list().root).toEqual(["a.json"]);
  });

  test("is not touched before there is an item", () => {
    const { staging, publication } = create();
    publication.discard();
    expect(readdirSync(staging)).toEqual([]);
  });
});

describe("atomic: false", () => {
  test("writes directly to the final path, and still checks the outputs", () => {
    const { root, staging, publication, list } = create({ atomic: false });
    const { output } = publication.begin([file("sub/a.json")]);
    expect(output!.path).toBe(join(root, "sub/a.json"));
    expect(() => publication.publish()).toThrow("without writing output");
    writeFileSync(output!.path, "half");
    publication.discard();
    publication.begin([file("sub/a.json")]);
    publication.publish();
    expect(list().root).toEqual(["sub/a.json"]);
    expect(readdirSync(staging)).toEqual([]);
  });
});

describe("a root that is gone", () => {
  test("is not made anew by the first item", () => {
    const { root, publication } = create();
    rmSync(root, { recursive: true });
    expect(() => publication.begin([file("a.json")])).toThrow("ENOENT");
    expect(existsSync(root)).toBe(false);
  });

  test("is not made anew by publishing", () => {
    const { root, publication, write } = create({ staging: tempDir() });
    write([file("sub/a.json")]);
    rmSync(root, { recursive: true });
    expect(() => publication.publish()).toThrow(
      expect.objectContaining({ code: "environment", message: `the output root ${root} is gone` }) as Error,
    );
    expect(existsSync(root)).toBe(false);
  });
});

test("a directory that leads out of the root through a link is refused before the item runs", () => {
  const { root, publication } = create();
  const outside = tempDir();
  symlinkSync(outside, join(root, "out"));
  for (const relPath of ["out/a.json", "out/deep/a.json"])
    expect(() => publication.begin([file(relPath)])).toThrow(
      expect.objectContaining({ code: "unsafe-name", message: expect.stringContaining("symbolic link") }) as Error,
    );
  expect(readdirSync(outside)).toEqual([]);
});

describe("links below the root, which may have come with an archive", () => {
  test("a side file is not moved through one in an output directory that is there", () => {
    const { root, publication } = create();
    const outside = tempDir();
    mkdirSync(join(root, "a"));
    symlinkSync(outside, join(root, "a/sub"));
    const { output } = publication.begin([directory("a")]);
    mkdirSync(join(output!.path, "sub"));
    writeFileSync(join(output!.path, "sub/side"), "");
    expect(() => publication.publish()).toThrow(expect.objectContaining({ code: "unsafe-name" }) as Error);
    expect(readdirSync(outside)).toEqual([]);
  });

  test("an output directory that is one is refused before the item runs", () => {
    const { root, publication } = create();
    symlinkSync(tempDir(), join(root, "a"));
    expect(() => publication.begin([directory("a")])).toThrow("symbolic link");
  });

  test("one that another item has put there since the item began is not followed", () => {
    const { root, publication, write } = create();
    const outside = tempDir();
    write([file("sub/a.json")]);
    symlinkSync(outside, join(root, "sub"));
    expect(() => publication.publish()).toThrow("symbolic link");
    expect(readdirSync(outside)).toEqual([]);
  });

  test("an output that is one is replaced, and in place it is refused, as are other names of the file", () => {
    const outside = tempDir();
    writeFileSync(join(outside, "gold"), "gold");
    const whole = create();
    symlinkSync(join(outside, "new"), join(whole.root, "a"));
    whole.write([file("a")]);
    whole.publication.publish();
    expect(readFileSync(join(whole.root, "a"), "utf8")).toBe("output");
    const inPlace = create({ atomic: false });
    symlinkSync(join(outside, "new"), join(inPlace.root, "a"));
    linkSync(join(outside, "gold"), join(inPlace.root, "b"));
    for (const name of ["a", "b"])
      expect(() => inPlace.publication.begin([file(name)])).toThrow(
        expect.objectContaining({ code: "unsafe-name", message: expect.stringContaining("link") }) as Error,
      );
    expect(readdirSync(outside)).toEqual(["gold"]);
  });
});

describe("an output that would replace what is not its own is refused before the item runs", () => {
  test("the item's input, under another name", () => {
    const { root, publication } = create();
    writeFileSync(join(root, "a.txt"), "");
    const alias = join(tempDir(), "alias");
    symlinkSync(root, alias);
    const begin = () => publication.begin([file("a.txt")], () => [join(alias, "a.txt")]);
    expect(begin).toThrow(expect.objectContaining({ code: "duplicate-key" }) as Error);
    publication.begin([file("b.txt")], () => [join(alias, "a.txt")]);
  });

  test("a file whose name differs in case, where that is one file; its own is made again", () => {
    const { root, publication, write } = create();
    writeFileSync(join(root, "a.txt"), "");
    foldNames();
    expect(() => publication.begin([file("A.txt")])).toThrow(
      expect.objectContaining({ code: "duplicate-key", message: expect.stringContaining('"a.txt"') }) as Error,
    );
    write([file("a.txt")]);
    publication.publish();
    expect(readFileSync(join(root, "a.txt"), "utf8")).toBe("output");
    unfoldNames();
    create().publication.begin([file("A.txt")]);
  });
});

describe("--durable", () => {
  const real = { openSync: fs.openSync, fsyncSync: fs.fsyncSync, renameSync: fs.renameSync };
  afterEach(() => {
    Object.assign(fs, real);
    syncBuiltinESMExports();
  });

  /** What is asked of the disk from now on, with paths below the root. */
  function watchDisk(root: string): string[] {
    const asked: string[] = [];
    const paths = new Map<number, string>();
    const short = (path: unknown): string => relative(root, String(path)).replace(".kagurazaka/staging/run/0-0/", "~");
    fs.openSync = ((path: string, ...rest: [string]) => {
      const fd = real.openSync(path, ...rest);
      paths.set(fd, short(path));
      return fd;
    }) as typeof fs.openSync;
    fs.fsyncSync = (fd) => void asked.push(`sync ${paths.get(fd)}`);
    fs.renameSync = (from, to) => {
      real.renameSync(from, to);
      asked.push(`move ${short(from)} ${short(to)}`);
    };
    syncBuiltinESMExports();
    return asked;
  }

  test("a file is on disk before its name is, and the rest, with its names, before what proves completion", () => {
    const { root, publication, write } = create({ durable: true, finish: finishedBy("output_proof") });
    write([file("sub/a", "output_proof"), file("sub/b", "output_other")]);
    const asked = watchDisk(root);
    publication.publish();
    expect(asked).toEqual(["sync ~b", "move ~b sub/b", "sync sub", "sync ", "sync ~a", "move ~a sub/a", "sync sub"]);
  });

  test("written in place: the file and its name are on disk", () => {
    const { root, publication, write } = create({ durable: true, atomic: false });
    write([file("a")]);
    const asked = watchDisk(root);
    publication.publish();
    expect(asked).toEqual(["sync a", "sync "]);
  });
});
