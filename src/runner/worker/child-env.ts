/** The environment of programs that tasks start: without UV_THREADPOOL_SIZE if `src/bin.cjs` set it, not the user. */
export function childEnv(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const { KAGURAZAKA_THREADPOOL_SIZE: _, UV_THREADPOOL_SIZE: size, ...rest } = env;
  const isOurs = size === undefined || size === process.env.KAGURAZAKA_THREADPOOL_SIZE;
  return isOurs ? rest : { ...rest, UV_THREADPOOL_SIZE: size };
}
