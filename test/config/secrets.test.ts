import { describe, expect, test } from "vitest";
import { isSecretName, maskEntry } from "../../src/config/secrets.js";

const shown = (path: string, value: unknown): unknown => maskEntry({ path, value }).value;

describe("a name", () => {
  test.each(
    "token api_key apiKey API-KEY x-api-key password passwd dbPasswd passphrase cookie set-cookie bearer credentials dsn database_dsn private_key privateKey accessKey aws_secret_access_key session session_token authorization auth client_secret sig".split(
      " ",
    ),
  )("%s is one of a secret", (name) => expect(isSecretName(`task.${name}`)).toBe(true));

  test.each(
    "tokenizer max_tokens token_count key_field num_keys keyboard monkey passes sort_key pad_token eos_token_id tokens_per_second secretary compass auth_type".split(
      " ",
    ),
  )("%s is not", (name) => expect(isSecretName(`task.${name}`)).toBe(false));
});

describe("a value", () => {
  test.each<[string, string, unknown, unknown]>([
    [
      "a map of headers",
      "task.headers",
      { Authorization: "Bearer abc", "X-Api-Key": "abc", accept: "*/*" },
      { Authorization: "***", "X-Api-Key": "***", accept: "*/*" },
    ],
    [
      "a list of headers with their names apart",
      "task.headers",
      [{ name: "Cookie", value: "abc" }],
      [{ name: "Cookie", value: "***" }],
    ],
    ["a header without a blank", "task.header", ["Authorization:Bearer abc"], ["Authorization:***"]],
    ["a parameter of a URL", "task.url", "https://h/p?a=1&token=abc&b=2", "https://h/p?a=1&token=***&b=2"],
    ["a signature in a URL", "task.url", "https://h/p?sig=abc#x", "https://h/p?sig=***#x"],
    ["a password in a URL", "task.url", "postgres://user:abc@h/db", "postgres://user:***@h/db"],
    ["a token in the place of a user", "task.url", "https://abc@h/p", "https://***@h/p"],
    ["the JSON of a map", "task.extra", '{"apiKey":"abc","n":1}', '{"apiKey":"***","n":1}'],
    [
      "a secret deep inside",
      "task.a",
      { b: [{ clientSecret: "abc", lr: 1 }] },
      { b: [{ clientSecret: "***", lr: 1 }] },
    ],
    ["the default of a variable", "task.api_key", "${oc.env:MY_KEY,abc}", "${oc.env:MY_KEY,***}"],
    ["a password that is a number", "task.password", 1234, "***"],
  ])("hides %s", (_what, path, value, masked) => expect(shown(path, value)).toEqual(masked));

  test.each<[string, unknown]>([
    ["task.api_key", "${oc.env:MY_KEY}"],
    ["task.password", "???"],
    ["task.max_tokens", 512],
    ["task.url", "https://h/p?page=2"],
    ["task.prompt", "Say: hello. The key: point is this."],
    ["run.keys", "keys.txt"],
  ])("of %s is shown: %j", (path, value) => expect(shown(path, value)).toEqual(value));

  test("costs time in proportion to its length", () => {
    for (const part of ["token", "a=", "${", "://", "x:y@", "-", "Bearer "]) {
      const text = part.repeat(400_000 / part.length);
      expect(typeof shown("task.text", text)).toBe("string");
    }
  });
});
