/**
 * Times as the reader's own clock shows them: of messages (Slack's `ts`), and of Slack's `<!date^…>` tokens.
 */

const format = (options) => new Intl.DateTimeFormat(undefined, options);
const TIME = format({ hour: "numeric", minute: "2-digit" });
const TIME_SECONDS = format({ hour: "numeric", minute: "2-digit", second: "2-digit" });
const FULL = format({ dateStyle: "full", timeStyle: "medium" });
const LONG = format({ weekday: "long", year: "numeric", month: "long", day: "numeric" });
const MEDIUM = format({ year: "numeric", month: "long", day: "numeric" });
const SHORT = format({ year: "numeric", month: "short", day: "numeric" });

const DAY_MS = 86_400_000;

/** The moment a `ts` names. */
export const momentOf = (ts) => new Date(Number(ts) * 1000);
export const clockTime = (moment) => TIME.format(moment);
export const clockTimeWithSeconds = (moment) => TIME_SECONDS.format(moment);
export const fullTime = (moment) => FULL.format(moment);

/** "Today", "Yesterday", "Tomorrow", or null. */
function nearDay(moment) {
  const midnight = (date) => new Date(date.getFullYear(), date.getMonth(), date.getDate()).getTime();
  const days = Math.round((midnight(moment) - midnight(new Date())) / DAY_MS);
  return { "-1": "Yesterday", 0: "Today", 1: "Tomorrow" }[days] ?? null;
}

/** The heading over one day's messages. */
export const dayName = (moment) => nearDay(moment) ?? LONG.format(moment);

/** "just now", "5 minutes ago", "in 2 hours". */
export function ago(moment) {
  const seconds = (moment.getTime() - Date.now()) / 1000;
  const relative = new Intl.RelativeTimeFormat(undefined, { numeric: "auto" });
  for (const [unit, size] of [["day", 86_400], ["hour", 3_600], ["minute", 60]]) {
    if (Math.abs(seconds) >= size) return relative.format(Math.round(seconds / size), unit);
  }
  return "just now";
}

const PARTS = {
  date_num: (moment) => moment.toISOString().slice(0, 10),
  date: (moment) => MEDIUM.format(moment),
  date_slash: (moment) => format({ dateStyle: "short" }).format(moment),
  date_short: (moment) => SHORT.format(moment),
  date_long: (moment) => LONG.format(moment),
  date_pretty: (moment) => nearDay(moment)?.toLowerCase() ?? MEDIUM.format(moment),
  date_short_pretty: (moment) => nearDay(moment)?.toLowerCase() ?? SHORT.format(moment),
  date_long_pretty: (moment) => nearDay(moment)?.toLowerCase() ?? LONG.format(moment),
  time: clockTime,
  time_secs: clockTimeWithSeconds,
  ago,
};

/** What `<!date^unix^template|fallback>` shows, or the fallback when the template or the time makes no sense. */
export function slackDate(unix, template, fallback) {
  const moment = momentOf(unix);
  if (Number.isNaN(moment.getTime())) return fallback;
  let known = true;
  const text = template.replace(/\{(\w+)\}/g, (typed, part) => {
    if (PARTS[part]) return PARTS[part](moment);
    known = false;
    return typed;
  });
  return known ? text : fallback;
}
