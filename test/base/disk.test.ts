import { describe, expect, test } from "vitest";
import { asEnvironmentError } from "../../src/base/disk.js";
import { KagurazakaError } from "../../src/base/errors.js";

const systemError = (message: string, fields: object): Error => Object.assign(new Error(message), fields);

describe("asEnvironmentError", () => {
  test.each([
    [
      "too few open files",
      { code: "EMFILE", syscall: "open", path: "/x" },
      "too many files are open (open /x)",
      /ulimit -n/,
    ],
    [
      "the system's limit of files",
      { code: "ENFILE", syscall: "open" },
      "too many files are open (open)",
      /fs\.file-max/,
    ],
    ["no more processes", { code: "EAGAIN", syscall: "spawn sh" }, /^no more processes .*spawn sh/, /ulimit -u/],
    ["no memory", { code: "ENOMEM", syscall: "fork" }, "no memory is left (fork)", /fewer workers/],
    ["a full disk", { code: "ENOSPC", syscall: "mkdir", path: "/tmp/x" }, /^no space is left/, undefined],
    ["a removed working directory", { code: "ENOENT", syscall: "uv_cwd" }, /working directory is gone/, /Change to/],
  ])("%s is no defect of kagurazaka", (_, fields, message, hint) => {
    const error = asEnvironmentError(systemError("said by the system", fields));
    expect(error?.code).toBe("environment");
    expect(error?.message).toMatch(message);
    if (hint === undefined) expect(error?.hint).toBeUndefined();
    else expect(error?.hint).toMatch(hint);
  });

  test("the system's code counts where it is in the message alone", () => {
    const error = systemError("Worker initialization failure: EMFILE", { code: "ERR_WORKER_INIT_FAILED" });
    expect(asEnvironmentError(error)?.message).toBe("too many files are open");
  });

  test.each([
    ["a defect", new TypeError("x is undefined")],
    ["a mistake that has its code", new KagurazakaError("usage", "EMFILE")],
    ["what is no error", "EMFILE"],
  ])("%s is left as it is", (_, thrown) => expect(asEnvironmentError(thrown)).toBeUndefined());
});
