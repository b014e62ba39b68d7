import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { freePort, startRedis } from "../support/redis.js";
import { FleetUnderTest } from "./harness/fleet.js";

const dir = mkdtempSync(join(tmpdir(), "kagurazaka-certificates-"));
afterAll(() => rmSync(dir, { recursive: true, force: true }));

/** A certificate that nobody has signed but itself. */
function certificate(name: string, subject: string): string[] {
  const [key, cert] = [join(dir, `${name}.key`), join(dir, `${name}.pem`)];
  const words = ["req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2"];
  const whose = ["-subj", "/CN=a Redis of a test", "-addext", `subjectAltName=${subject}`];
  execFileSync("openssl", [...words, ...whose, "-keyout", key, "-out", cert], { stdio: "ignore" });
  return ["--tls-cert-file", cert, "--tls-key-file", key, "--tls-auth-clients", "no"];
}

let canSpeakTls = true;
beforeAll(async () => {
  const flags = [...certificate("right", "IP:127.0.0.1"), "--tls-port", `${await freePort()}`];
  certificate("wrong", "DNS:another.example");
  await startRedis(flags).then(
    (redis) => redis.close(),
    () => {
      canSpeakTls = false;
    },
  );
});

async function openWith(name: string, subject: string): Promise<FleetUnderTest> {
  const port = await freePort();
  const redisFlags = [...certificate(name, subject), "--tls-port", `${port}`];
  return FleetUnderTest.open({ items: 20, redisFlags, url: () => `rediss://127.0.0.1:${port}` });
}

describe.concurrent("TLS", () => {
  test("a certificate that the machine's authorities have not signed is refused, and accepted once its authority is named", async ({
    skip,
  }) => {
    skip(!canSpeakTls, "this redis-server was built without TLS");
    await using fleet = await openWith("right", "IP:127.0.0.1");
    for (const command of [fleet.coordinator(), fleet.node()]) {
      const { code, stderr } = await command.ended;
      expect(code, stderr).toBe(75);
      expect(stderr).toMatch(/certificate is not accepted \(self-signed certificate\)[\s\S]*NODE_EXTRA_CA_CERTS/);
    }
    const env = { NODE_EXTRA_CA_CERTS: join(dir, "right.pem") };
    fleet.node({ env });
    await fleet.check(await fleet.coordinator({ env }).ended);
  });

  test("a certificate for another host is refused, though its authority is named", async ({ skip }) => {
    skip(!canSpeakTls, "this redis-server was built without TLS");
    await using fleet = await openWith("wrong", "DNS:another.example");
    const { code, stderr } = await fleet.coordinator({ env: { NODE_EXTRA_CA_CERTS: join(dir, "wrong.pem") } }).ended;
    expect(code, stderr).toBe(75);
    expect(stderr).toMatch(/certificate is not accepted \(.*altnames/);
  });

  test("TLS to a port that does not speak it, and the reverse, are refused", async ({ skip }) => {
    skip(!canSpeakTls, "this redis-server was built without TLS");
    await using fleet = await openWith("reverse", "IP:127.0.0.1");
    for (const url of [fleet.redis.url.replace("redis:", "rediss:"), fleet.url.replace("rediss:", "redis:")]) {
      const { code, stderr } = await fleet.coordinator({ url }).ended;
      expect(code, stderr).toBe(75);
      expect(stderr).toMatch(/Does the server speak TLS/);
    }
  });
});
