import { dirname } from "node:path";
import { pathToFileURL } from "node:url";

/**
 * In a bundle `import.meta` would be that of the bundle. Each file that mentions it, or `__dirname`, gets variables of its own
 * in front of its first line (no line moves), and esbuild uses them in place of the real ones, except where the file declares
 * variables of those names itself.
 */
export const hereDefines = {
  "import.meta": "__kagurazaka_meta",
  __dirname: "__kagurazaka_dirname",
  __filename: "__kagurazaka_filename",
  "require.resolve": "__kagurazaka_require_resolve",
};

const RESOLVE = "__kagurazaka_resolve";

export function hereVariables(path: string, text: string): string {
  const url = JSON.stringify(pathToFileURL(path).href);
  const file = JSON.stringify(path);
  const dir = JSON.stringify(dirname(path));
  let out = "";
  if (/\bimport\s*(?:\/|\.\s*(?:\/|meta\b))/.test(text)) {
    out += `var __kagurazaka_meta={__proto__:null,dirname:${dir},filename:${file},resolve:(name)=>${RESOLVE}(name,${url}),url:${url}};`;
  }
  if (/__(?:dirname|filename)\b/.test(text)) out += `var __kagurazaka_dirname=${dir},__kagurazaka_filename=${file};`;
  if (/\brequire\s*\.\s*resolve\b/.test(text))
    out += `var __kagurazaka_require_resolve=__kagurazaka_require(${url}).resolve;`;
  return out;
}

/** One line in front of the bundle with the functions that its code uses; "" when it uses none. */
export function bundleHead(code: string, entry: string): string {
  // esbuild's helper needs a `require`; one that the user's own modules declare it has renamed.
  const requires = code.includes("var __require = ");
  const resolves = code.includes(`${RESOLVE}(`);
  if (!requires && !resolves && !code.includes("__kagurazaka_require(")) return "";
  const url = JSON.stringify(pathToFileURL(entry).href);
  let head = `import{createRequire as __kagurazaka_require,isBuiltin as __kagurazaka_builtin}from"node:module";import{pathToFileURL as __kagurazaka_url}from"node:url";`;
  if (requires) head += `const require=__kagurazaka_require(${url});`;
  if (resolves) {
    head +=
      `const ${RESOLVE}=(name,from)=>{name=String(name);` +
      `if(/^\\.{0,2}\\//.test(name)||URL.canParse(name)&&!name.startsWith("node:"))return new URL(name,from).href;` +
      `if(__kagurazaka_builtin(name))return name.startsWith("node:")?name:"node:"+name;` +
      `return __kagurazaka_url(__kagurazaka_require(from).resolve(name)).href;};`;
  }
  return `${head}\n`;
}
