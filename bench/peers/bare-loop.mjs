// No tool at all: for await over the same items, an async no-op for each. node bare-loop.mjs ITEMS
function* listItems(count) {
  for (let i = 0; i < count; i++) yield { i, path: `data/${i}.bin` };
}

async function noOp(_item) {}

const count = Number(process.argv[2]);
const started = performance.now();
for await (const item of listItems(count)) await noOp(item);
process.stdout.write(`${JSON.stringify({ elapsedMs: performance.now() - started })}\n`);
