import { describe, expect, test } from "vitest";
import { maskLines } from "../../src/base/mask.js";
import { isSecretName, maskEntry } from "../../src/config/secrets.js";

const shown = (path: string, value: unknown): unknown => maskEntry({ path, value }).value;

describe("a name", () => {
  test.each(
    "token api_key apiKey API-KEY x-api-key password passwd dbPasswd passphrase cookie set-cookie bearer credentials dsn database_dsn private_key privateKey accessKey aws_secret_access_key session session_token authorization auth client_secret sig pin otp pat github_pat".split(
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
    ["a password in what is nearly a URL", "task.url", "//user:abc@h/db", "//user:***@h/db"],
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
    [
      "flags of one word and of two",
      "task.args",
      ["--token=abc", "--pin=1", "--pass", "abc", "-n", "1"],
      ["--token=***", "--pin=***", "--pass", "***", "-n", "1"],
    ],
    [
      "the password of curl's -u",
      "task.args",
      ["-u", "1:1", "/usr/bin/curl", "-u", "bob:abc", "-ubob:abc", "--user", "bob", "--proxy-user", "bob:a:b"],
      ["-u", "1:1", "/usr/bin/curl", "-u", "bob:***", "-ubob:***", "--user", "bob", "--proxy-user", "bob:***"],
    ],
    [
      "the password of curl's -u in a script",
      "task.args",
      ["sh", "-c", "curl -s -u bob:abc https://h; curl --user 'bob:abc' https://h"],
      ["sh", "-c", "curl -s -u bob:*** https://h; curl --user 'bob:***' https://h"],
    ],
    [
      "a secret deep in JSON behind other text",
      "task.body",
      'x {"password":"abc","a":{"token":"a\\"bc","key":12,"n":1,"pass":{"b":["c]"]},"m":2}}',
      'x {"password":"***","a":{"token":"***","key":***,"n":1,"pass":***,"m":2}}',
    ],
    [
      "what goes on behind brackets",
      "task.args",
      ["password=[a b]c d", "Cookie: {a}b c"],
      ["password=***", "Cookie: ***"],
    ],
    ["the code in a URL", "task.url", "https://h/p?code=abc&n=1", "https://h/p?code=***&n=1"],
    ["a PIN that is a number", "task.pin", 1234, "***"],
  ])("hides %s", (_what, path, value, masked) => expect(shown(path, value)).toEqual(masked));

  test.each<[string, unknown]>([
    ["task.api_key", "${oc.env:MY_KEY}"],
    ["task.password", "???"],
    ["task.max_tokens", 512],
    ["task.url", "https://h/p?page=2"],
    ["task.prompt", "Say: hello. The key: point is this."],
    ["task.prompt", "The code=1 and the pin: 2 and 'key: 3'."],
    ["task.args", ["docker", "run", "-u", "1000:1000", "--spin=1", "--country-code=de"]],
    ["run.keys", "keys.txt"],
  ])("of %s is shown: %j", (path, value) => expect(shown(path, value)).toEqual(value));

  test("costs time in proportion to its length", () => {
    for (const part of ["token", "a=", "${", "://", "x:y@", "-", "Bearer ", '"token":{', "curl -u a:", "curl -u "]) {
      const text = part.repeat(400_000 / part.length);
      expect(typeof shown("task.text", text)).toBe("string");
      expect(maskLines([text])).toHaveLength(1);
    }
  });
});

describe("lines of YAML", () => {
  test.each<[string, string, string]>([
    ["what stands behind a secret's key", "task:\n  password: abc: x: 'y\n  n: 1", "task:\n  password: ***\n  n: 1"],
    ["what goes on below it", "token: |\n  abc\n\n    abc\nn: 1", "token: ***\n  ***\n\n    ***\nn: 1"],
    ["a list in the same column", "tokens:\n- abc\n- abc\nn: 1", "tokens:\n***\n***\nn: 1"],
    ["what goes on too far left", '  password: "abc\nabc"\nn: 1', "  password: ***\n***\nn: 1"],
    ["flow mappings", "a: { n: 1, token: abc, b: 2 }\nn: 1", "a: { n: 1, token: ***\nn: 1"],
    ["passwords in URLs", "url: https://bob:abc@h", "url: https://bob:***@h"],
  ])("hide %s", (_what, text, masked) => expect(maskLines(text.split("\n")).join("\n")).toBe(masked));
});
