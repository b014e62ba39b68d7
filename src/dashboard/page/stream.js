/** Without an event for so long, a connection is taken to be dead. The server sends one every 5 s at least. */
const SILENCE_MS = 15_000;
const RETRY_MS = [500, 1000, 2000, 5000];
/** A page that nobody sees lets go of its connection, of which a browser has six for one server. */
const HIDDEN_MS = 60_000;

/**
 * Events of the server, again and again: where the connection is lost, it is opened anew.
 * @param onEvent gets the name of an event and its data
 * @param onStatus gets `connecting`, `live`, `lost` or `paused`
 */
export function openStream(url, { names, onEvent, onStatus }) {
  let source;
  let watchdog;
  let retry;
  let hiding;
  let failures = 0;

  const close = () => {
    source?.close();
    source = undefined;
    clearTimeout(watchdog);
    clearTimeout(retry);
  };
  const lose = () => {
    close();
    onStatus("lost");
    retry = setTimeout(open, RETRY_MS[Math.min(failures++, RETRY_MS.length - 1)]);
  };
  const heard = () => {
    clearTimeout(watchdog);
    watchdog = setTimeout(lose, SILENCE_MS);
  };
  function open() {
    close();
    heard();
    source = new EventSource(url);
    source.onerror = lose;
    for (const name of [...names, "beat"])
      source.addEventListener(name, ({ data }) => {
        heard();
        failures = 0;
        onStatus("live");
        onEvent(name, JSON.parse(data));
      });
  }

  addEventListener("online", () => source === undefined && open());
  document.addEventListener("visibilitychange", () => {
    clearTimeout(hiding);
    if (!document.hidden) {
      if (source === undefined) open();
      return;
    }
    hiding = setTimeout(() => {
      close();
      onStatus("paused");
    }, HIDDEN_MS);
  });
  onStatus("connecting");
  open();
}
