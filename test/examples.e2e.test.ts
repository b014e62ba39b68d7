import { type ChildProcess, execFileSync, spawn, spawnSync } from "node:child_process";
import { once } from "node:events";
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { parse, parseAllDocuments } from "yaml";
import { startRedis, type TestRedis } from "./support/redis.js";

/** docker-compose.yml, Dockerfile and examples/: checked by the tools they are for where those are installed, and run without them. */
const root = new URL("..", import.meta.url).pathname;
const fleet = join(root, "examples/fleet");
const bin = join(root, "src/bin.cjs");
const read = (path: string): string => readFileSync(join(root, path), "utf8");
/** What a run's --grace is by default, in seconds. */
const graceSeconds = Number(/grace: \{[^}]*default: "(\d+)s"/s.exec(read("src/config/run-options.ts"))![1]);

const works = (...words: string[]): boolean => spawnSync(words[0]!, words.slice(1)).status === 0;
const without = (hasTool: boolean, name: string): string => (hasTool ? "" : ` (skipped: no ${name} in PATH)`);

interface Service {
  readonly image?: string;
  readonly command: string | readonly string[];
  readonly ports?: readonly string[];
  readonly volumes: readonly string[];
  readonly healthcheck?: { readonly test: readonly string[] };
  readonly depends_on?: Readonly<Record<string, { readonly condition: string }>>;
  readonly [other: string]: unknown;
}
const compose = parse(read("docker-compose.yml")) as {
  services: { redis: Service; worker: Service };
  volumes: Record<string, unknown>;
};

describe("docker-compose.yml", () => {
  const tool = [["docker", "compose"], ["docker-compose"]].find((words) => works(...words, "version"));
  const config = (env: Record<string, string> = {}): typeof compose =>
    parse(
      execFileSync(tool![0]!, [...tool!.slice(1), "config"], {
        cwd: root,
        env: { ...process.env, ...env },
        encoding: "utf8",
      }),
    );

  test.skipIf(tool === undefined)(`is accepted by compose${without(tool !== undefined, "docker compose")}`, () => {
    expect(Object.keys(config().services).sort()).toEqual(["redis", "worker"]);
    const { worker, redis } = config({
      KAGURAZAKA_TASK: "mine.ts Mine",
      KAGURAZAKA_PORT: "7000",
      KAGURAZAKA_UID: "7",
    }).services;
    expect([worker.command].flat().join(" ")).toBe("worker mine.ts Mine --num_process 1");
    expect(JSON.stringify(redis.ports)).toMatch(/127\.0\.0\.1.*7000|7000.*127\.0\.0\.1/);
    expect(worker.user).toBe("7:1000");
  });

  test("keeps what Redis has, and lets only this machine reach it", () => {
    const { redis } = compose.services;
    expect([redis.command].flat().join(" ")).toMatch(/--appendonly yes .*--maxmemory-policy noeviction/);
    expect(redis.image).toMatch(/^[a-z/]+:\d+[\w.-]*$/);
    for (const port of redis.ports!) expect(port).toMatch(/^127\.0\.0\.1:/);
    expect(redis.volumes).toEqual(["redis:/data"]);
    expect(Object.keys(compose.volumes)).toEqual(["redis"]);
    expect(redis.healthcheck!.test[0]).toBe("CMD-SHELL");
  });

  test("has workers that can be many, and that end in order", () => {
    const { worker } = compose.services;
    expect(worker).toMatchObject({
      init: true,
      // A mistake in the command ends at last.
      restart: expect.stringMatching(/^on-failure:[1-9]$/),
      depends_on: { redis: { condition: "service_healthy" } },
      environment: { KAGURAZAKA_REDIS: "redis://redis:6379" },
    });
    // `--scale worker=4` on one machine must not take four times all cores.
    expect(worker.command).toMatch(/ --num_process \$\{KAGURAZAKA_NUM_PROCESS:-\d+\}$/);
    expect(worker).not.toHaveProperty("container_name");
    expect(worker).not.toHaveProperty("ports");
    expect(Number.parseInt(worker.stop_grace_period as string, 10)).toBeGreaterThan(graceSeconds);
  });
});

describe("Dockerfile", () => {
  const lines = read("Dockerfile").split("\n");
  const words = (name: string): string[][] =>
    lines.filter((line) => line.startsWith(`${name} `)).map((line) => line.split(/\s+/).slice(1));

  test("copies files that exist and that .dockerignore lets through", () => {
    const ignored = read(".dockerignore").split("\n");
    expect(ignored).toContain("*");
    const sources = words("COPY")
      .filter(([first]) => !first!.startsWith("--from"))
      .flatMap((all) => all.slice(0, -1));
    for (const source of sources) expect(existsSync(join(root, source)), source).toBe(true);
    const kept = ignored.filter((line) => line.startsWith("!")).map((line) => line.slice(1));
    expect(sources.map((source) => source.replace(/^\.\//, "")).sort()).toEqual(kept.sort());
  });

  test("has all that the package ships and needs to run", () => {
    const built = words("COPY").filter(([first]) => first === "--from=build");
    const paths = built.map((all) => all[1]!.replace("/app/", ""));
    expect(paths.sort()).toEqual(["dist", "node_modules", "package.json", "src/bin.cjs"]);
  });

  test("starts from a pinned Node that the package supports, and runs without rights", () => {
    for (const [image] of words("FROM")) expect(image).toMatch(/^node:2[2-9]-\w+-slim$/);
    expect(words("USER")).toEqual([["node"]]);
    expect(lines.findIndex((line) => line.startsWith("USER"))).toBeGreaterThan(
      lines.findLastIndex((line) => line.startsWith("RUN")),
    );
  });
});

/** Section → name → values. */
function parseUnit(text: string): Record<string, Record<string, string[]>> {
  const unit: Record<string, Record<string, string[]>> = {};
  let section = "";
  for (const line of text.split("\n").filter((one) => one !== "" && !one.startsWith("#"))) {
    const name = /^\[(\w+)\]$/.exec(line)?.[1];
    if (name !== undefined) {
      section = name;
      unit[section] = {};
      continue;
    }
    const [, key, value] = /^(\w+)=(.*)$/.exec(line)!;
    unit[section]![key!] = [...(unit[section]![key!] ?? []), value!];
  }
  return unit;
}

const parseEnv = (text: string): Record<string, string> =>
  Object.fromEntries([...text.matchAll(/^(\w+)=(.*)$/gm)].map(([, name, value]) => [name!, value!]));

describe("kagurazaka-worker@.service", () => {
  const text = readFileSync(join(fleet, "systemd/kagurazaka-worker@.service"), "utf8");
  const { Service: service, Unit: unit } = parseUnit(text);
  const hasTool = works("systemd-analyze", "--version");

  test.skipIf(!hasTool)(`is accepted by systemd-analyze verify${without(hasTool, "systemd-analyze")}`, () => {
    const dir = mkdtempSync(join(tmpdir(), "kagurazaka-unit-"));
    try {
      const verify = (changed: string): string => {
        const path = join(dir, "kagurazaka-worker@.service");
        writeFileSync(path, changed.replace("/usr/local/bin/kagurazaka", bin));
        const { status, stdout, stderr } = spawnSync("systemd-analyze", ["verify", "--man=no", path], {
          encoding: "utf8",
        });
        return `${status}\n${stdout}${stderr}`;
      };
      expect(verify(text)).toBe("0\n");
      expect(verify(text.replace("KillMode=mixed", "KillMode=mixd")), "it sees mistakes").toMatch(/mixd/);
    } finally {
      rmSync(dir, { recursive: true, force: true });
    }
  });

  test("restarts a worker that has lost Redis, but not one with a mistake, and gives items time", () => {
    expect(service).toMatchObject({
      Restart: ["on-failure"],
      RestartPreventExitStatus: ["2"],
      KillSignal: ["SIGTERM"],
      KillMode: ["mixed"],
      NoNewPrivileges: ["yes"],
    });
    expect(unit!.StartLimitIntervalSec).toEqual(["0"]);
    expect(Number.parseInt(service!.TimeoutStopSec![0]!, 10)).toBeGreaterThan(graceSeconds);
    expect(service!.EnvironmentFile).toEqual(["/etc/kagurazaka/fleet.env", "/etc/kagurazaka/%i.env"]);
  });
});

interface Container {
  readonly image: string;
  readonly args: readonly string[];
  readonly readinessProbe?: { readonly exec: { readonly command: readonly string[] } };
  readonly volumeMounts: readonly { readonly name: string }[];
  readonly env: readonly {
    readonly valueFrom?: { readonly secretKeyRef?: { readonly name: string; readonly key: string } };
  }[];
}
interface Manifest {
  readonly apiVersion: string;
  readonly kind: string;
  readonly metadata: { readonly name?: string; readonly generateName?: string };
  readonly stringData?: Readonly<Record<string, string>>;
  readonly spec: {
    readonly selector?: { readonly matchLabels: Readonly<Record<string, string>> };
    readonly scaleTargetRef?: { readonly name: string };
    readonly volumeClaimTemplates?: readonly { readonly metadata: { readonly name: string } }[];
    readonly template: {
      readonly metadata: { readonly labels: Readonly<Record<string, string>> };
      readonly spec: {
        readonly terminationGracePeriodSeconds?: number;
        readonly securityContext: { readonly runAsNonRoot?: boolean };
        readonly volumes?: readonly { readonly name: string }[];
        readonly containers: readonly [Container];
      };
    };
  };
}
const manifests = readdirSync(join(fleet, "kubernetes")).flatMap((file) =>
  parseAllDocuments(readFileSync(join(fleet, "kubernetes", file), "utf8"), { strict: true, uniqueKeys: true }).map(
    (document) => {
      expect(document.errors).toEqual([]);
      return document.toJS() as Manifest;
    },
  ),
);
/** Applied by hand, when they are wanted. */
const byHand = ["run.yaml", "autoscale.yaml"];
const manifest = (kind: string): Manifest => manifests.find((one) => one.kind === kind)!;

describe("Kubernetes manifests", () => {
  const hasKubectl = works("kubectl", "version", "--client");

  test.skipIf(!hasKubectl)(`are put together by kubectl kustomize${without(hasKubectl, "kubectl")}`, () => {
    const text = execFileSync("kubectl", ["kustomize", fleet], { encoding: "utf8" });
    const found = parseAllDocuments(text).map(
      (document) => document.toJS() as Manifest & { data?: Record<string, string> },
    );
    const names = found.map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    const own = manifests
      .filter(({ kind }) => !/^(?:Job|Horiz)/.test(kind))
      .map(({ kind, metadata }) => `${kind} ${metadata.name}`);
    expect(names.sort()).toEqual([...own, "ConfigMap kagurazaka-task"].sort());
    expect(found.find(({ kind }) => kind === "ConfigMap")!.data!["task.ts"]).toBe(
      readFileSync(join(fleet, "task.ts"), "utf8"),
    );
  });

  test("are told to kustomize, all but those that are applied by hand", () => {
    const { resources, configMapGenerator } = parse(readFileSync(join(fleet, "kustomization.yaml"), "utf8"));
    const files = readdirSync(join(fleet, "kubernetes")).filter((name) => !byHand.includes(name));
    expect([...resources].sort()).toEqual(files.map((name) => `kubernetes/${name}`).sort());
    expect(configMapGenerator).toEqual([{ name: "kagurazaka-task", files: ["task.ts"] }]);
  });

  test("name nothing that is not there", () => {
    const secret = manifest("Secret");
    const claims = manifests
      .filter(({ kind }) => kind === "PersistentVolumeClaim")
      .map(({ metadata }) => metadata.name);
    for (const { spec } of manifests.filter(({ kind }) => ["Deployment", "StatefulSet", "Job"].includes(kind))) {
      const pod = spec.template;
      if (spec.selector) expect(pod.metadata.labels).toMatchObject(spec.selector.matchLabels);
      const [container] = pod.spec.containers;
      const volumes = [
        ...(pod.spec.volumes ?? []),
        ...(spec.volumeClaimTemplates ?? []).map(({ metadata }) => metadata),
      ];
      expect(container.volumeMounts.map(({ name }) => name).sort()).toEqual(volumes.map(({ name }) => name).sort());
      for (const { valueFrom } of container.env)
        if (valueFrom?.secretKeyRef) {
          expect(valueFrom.secretKeyRef.name).toBe(secret.metadata.name);
          expect(secret.stringData).toHaveProperty(valueFrom.secretKeyRef.key);
        }
      for (const claim of JSON.stringify(pod.spec.volumes ?? []).matchAll(/"claimName":"([^"]+)"/g))
        expect(claims).toContain(claim[1]);
      expect(pod.spec.securityContext.runAsNonRoot).toBe(true);
      expect(container.image).toMatch(/:\d[\w.-]*$/);
    }
    expect(manifest("HorizontalPodAutoscaler").spec.scaleTargetRef!.name).toBe(manifest("Deployment").metadata.name);
    const password = secret.stringData!.REDIS_PASSWORD!;
    const service = manifest("Service").metadata.name;
    expect(secret.stringData!.KAGURAZAKA_REDIS).toBe(`redis://:${password}@${service}:6379`);
  });

  test("give running items their time", () => {
    for (const kind of ["Deployment", "Job"])
      expect(manifest(kind).spec.template.spec.terminationGracePeriodSeconds).toBeGreaterThan(graceSeconds);
  });
});

describe("the commands in the README", () => {
  const blocks = [...readFileSync(join(fleet, "README.md"), "utf8").matchAll(/^```sh\n(.*?)^```$/gms)].map(
    ([, block]) => block!,
  );
  const block = (word: string): string => blocks.find((one) => one.includes(word))!;

  test("of compose run where the compose file is, so that data are where it mounts them", () => {
    const [first, second] = block("docker compose").split("\n");
    const dir = join(fleet, /^cd (\S+)/.exec(first!)![1]!);
    expect(existsSync(join(dir, "docker-compose.yml"))).toBe(true);
    expect(second).toMatch(/^mkdir -p data\/in /);
    expect(compose.services.worker.volumes).toContain("${KAGURAZAKA_DATA:-./data}:/data");
  });

  test("of systemd and kubectl name files that are here", () => {
    const words = [block("systemctl enable"), block("kubectl")].flatMap((one) =>
      one.replace(/#.*$/gm, "").split(/\s+/),
    );
    const files = words.filter((word) => /^[\w@/-]+\.(?:yaml|env|service|ts)$/.test(word) && !word.startsWith("/"));
    expect(files).toHaveLength(6);
    for (const file of files) expect(existsSync(join(fleet, file)), file).toBe(true);
  });

  test("of systemd put the tool where the unit looks for it, and give the unit's user what it may write to", () => {
    const { Service: service } = parseUnit(readFileSync(join(fleet, "systemd/kagurazaka-worker@.service"), "utf8"));
    const install = block("systemctl enable");
    const prefix = /npm install -g --prefix (\S+)/.exec(install)![1]!;
    expect(service!.ExecStart![0]).toMatch(new RegExp(`^${prefix}/bin/kagurazaka `));
    const [, user, group, dirs] = /^install -d -o (\w+) -g (\w+) (.*)$/m.exec(install)!;
    expect([user, group]).toEqual([service!.User![0], service!.Group![0]]);
    expect(dirs!.split(" ")).toContain(service!.ReadWritePaths![0]!.replace(/^-/, ""));
    expect(block("runuser")).toContain(`runuser -u ${user} -- kagurazaka task.ts CountWords`);
  });
});

test("the tarball has no examples", () => {
  const { files } = JSON.parse(read("package.json")) as { files: string[] };
  expect(files.filter((name) => /example|docker/i.test(name))).toEqual([]);
});

describe("the commands of the files", () => {
  const dir = mkdtempSync(join(tmpdir(), "kagurazaka-examples-"));
  const [work, data, pod] = [join(dir, "work"), join(dir, "data"), join(dir, "pod")];
  const children: ChildProcess[] = [];
  let redis: TestRedis;
  let env: NodeJS.ProcessEnv;

  beforeAll(async () => {
    redis = await startRedis();
    for (const path of [work, join(data, "in"), join(dir, "bin")]) mkdirSync(path, { recursive: true });
    for (let i = 0; i < 20; i++) writeFileSync(join(data, `in/${i}.txt`), "word ".repeat(i));
    copyFileSync(join(fleet, "task.ts"), join(work, "task.ts"));
    // A ConfigMap is mounted as links to links.
    mkdirSync(join(pod, "..2026_11_29"), { recursive: true });
    copyFileSync(join(fleet, "task.ts"), join(pod, "..2026_11_29/task.ts"));
    symlinkSync("..2026_11_29", join(pod, "..data"));
    symlinkSync("..data/task.ts", join(pod, "task.ts"));
    symlinkSync(bin, join(dir, "bin/kagurazaka"));
    env = { ...process.env, KAGURAZAKA_REDIS: redis.url, PATH: `${join(dir, "bin")}:${process.env.PATH}` };
  }, 120_000);
  afterAll(async () => {
    for (const child of children) child.kill("SIGKILL");
    await redis?.close();
    rmSync(dir, { recursive: true, force: true });
  });

  /** Starts `kagurazaka` with the words of a file, whose paths become those of the test. */
  function start(words: readonly string[], taskDir: string): ChildProcess {
    const real = words.map((word) =>
      word.replace(/^\/(?:work|srv\/kagurazaka)(?=\/)/, taskDir).replace(/^\/data(?=\/)/, data),
    );
    const child = spawn("kagurazaka", real, { cwd: taskDir, env, stdio: ["ignore", "pipe", "pipe"] });
    child.stdout!.resume();
    child.stderr!.resume();
    children.push(child);
    return child;
  }

  test("start workers that work together, and that end by SIGTERM with code 0", async () => {
    const command = compose.services.worker.command as string;
    const composed = command.replace(/\$\{\w+:-([^}]*)\}/g, "$1").split(" ");
    const variables = parseEnv(readFileSync(join(fleet, "systemd/count-words.env"), "utf8"));
    const { Service: service } = parseUnit(readFileSync(join(fleet, "systemd/kagurazaka-worker@.service"), "utf8"));
    const [program, ...unitWords] = service!
      .ExecStart![0]!.replace("%H-%i", "host-count-words")
      .replace(/\$\{?(\w+)\}?/g, (_, name: string) => variables[name]!)
      .split(" ");
    expect(program).toBe("/usr/local/bin/kagurazaka");
    const [container] = manifest("Deployment").spec.template.spec.containers;
    const podWords = container.args.map((word) => word.replace("$(POD_NAME)", "pod-1"));
    const workers = [start(composed, work), start(unitWords, work), start(podWords, pod)];

    const probe = (name: string): number | null => {
      const [shell, ...words] = container.readinessProbe!.exec.command;
      return spawnSync(shell!, words, { env: { ...env, POD_NAME: name } }).status;
    };
    await expect.poll(() => probe("pod-1"), { timeout: 30_000 }).toBe(0);
    expect(probe("pod-2")).not.toBe(0);
    const names = (): string[] =>
      (
        JSON.parse(execFileSync("kagurazaka", ["workers", "--json"], { env, encoding: "utf8" })) as { node: string }[]
      ).map(({ node }) => node);
    await expect.poll(names, { timeout: 30_000 }).toHaveLength(3);
    expect(names()).toEqual(expect.arrayContaining(["pod-1", "host-count-words"]));

    const run = start(manifest("Job").spec.template.spec.containers[0].args, work);
    expect(await once(run, "exit")).toEqual([0, null]);
    const outputs = readdirSync(join(data, "out")).filter((name) => name.endsWith(".json"));
    expect(outputs).toHaveLength(20);
    expect(readFileSync(join(data, "out/7.txt.json"), "utf8")).toBe('{"words":7}');

    const ended = workers.map((worker) => once(worker, "exit"));
    for (const worker of workers) worker.kill("SIGTERM");
    expect(await Promise.all(ended)).toEqual([
      [0, null],
      [0, null],
      [0, null],
    ]);
  }, 180_000);

  test("tell a mistake from a Redis that is gone by their exit codes, as the unit does", async () => {
    const mistake = start(["worker", "task.ts", "NoSuchTask"], work);
    expect((await once(mistake, "exit"))[0]).toBe(2);
    const gone = start(["worker", "task.ts", "CountWords", "--redis", "redis://127.0.0.1:1"], work);
    expect((await once(gone, "exit"))[0]).toBe(75);
  });
});
