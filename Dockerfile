# kagurazaka in a container: a worker of a fleet, or any other command.
#
#   docker build -t kagurazaka .
#   docker run --rm --init kagurazaka --help
#
# Not built by an engine so far, for the project's machines have none. Its steps were run without one on Debian 12 with Node 20,
# and a run went through the result as a user without rights.

FROM node:22-bookworm-slim AS build
WORKDIR /app
COPY package.json package-lock.json .npmrc ./
# No package needs its install script here.
RUN npm ci --ignore-scripts --no-audit --no-fund
COPY build.mjs tsconfig.json tsconfig.build.json ./
COPY src ./src
COPY backbones ./backbones
COPY templates ./templates
COPY tasks ./tasks
RUN node build.mjs && npm prune --omit=dev --ignore-scripts --no-audit --no-fund

FROM node:22-bookworm-slim
ENV NODE_ENV=production
COPY --from=build /app/package.json /app/
COPY --from=build /app/node_modules /app/node_modules
COPY --from=build /app/dist /app/dist
COPY --from=build /app/src/bin.cjs /app/src/bin.cjs
RUN ln -s /app/src/bin.cjs /usr/local/bin/kagurazaka && mkdir /work /data && chown node:node /work /data
USER node
# Task files lie in /work, inputs and outputs in /data.
WORKDIR /work
# The process that gets signals is Node. It needs an init beside it (`--init`), which reaps what items leave behind.
ENTRYPOINT ["kagurazaka"]
CMD ["--help"]
