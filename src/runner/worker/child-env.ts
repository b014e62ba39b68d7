/** The environment of programs that tasks start: without the size of the thread pool, where it is ours (src/bin.cjs) and not the user's. */
export function childEnv(env: NodeJS.ProcessEnv = process.env): NodeJS.ProcessEnv {
  const { KAGURAZAKA_THREADPOOL_SIZE: _, UV_THREADPOOL_SIZE: size, ...rest } = env;
  const isOurs = size === undefined || size === process.env.KAGURAZAKA_THREADPOOL_SIZE;
  return isOurs ? rest : { ...rest, UV_THREADPOOL_SIZE: size };
}
