const round = (value, digits) => value.toFixed(digits).replace(/\.?0+$/, (zeros) => (zeros.includes(".") ? "" : zeros));

export function formatRate(perSecond) {
  if (perSecond >= 1e6) return `${(perSecond / 1e6).toFixed(2)}M/s`;
  if (perSecond >= 1e4) return `${Math.round(perSecond / 1e3)}k/s`;
  return `${round(perSecond, 1)}/s`;
}

export const formatMs = (ms) => (ms >= 10_000 ? `${(ms / 1000).toFixed(1)} s` : `${round(ms, ms < 10 ? 2 : 0)} ms`);
export const formatMegabytes = (bytes) => `${Math.round(bytes / 2 ** 20)} MB`;
export const formatCount = (count) =>
  count >= 1e6 ? `${round(count / 1e6, 1)}M` : count >= 1e4 ? `${round(count / 1e3, 1)}k` : String(count);
export const formatPercent = (share) => `${(share * 100).toFixed(1)} %`;
