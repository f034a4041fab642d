/**
 * The address of what is shown: `#U123/D123` is a conversation as one person sees it, `#U123/D123/171.5` a thread in
 * it, `#U123/home` the app's Home tab.
 */

/** What the address bar names: `{user, place, thread}`, each null when it is not said. */
export function currentRoute() {
  const [user, place, thread] = location.hash.slice(1).split("/").map(decodeURIComponent);
  return { user: user || null, place: place || null, thread: thread || null };
}

/** The address of a person, a conversation or a thread. */
export const addressOf = ({ user, place = null, thread = null }) =>
  `#${[user, place, place && thread].filter(Boolean).map(encodeURIComponent).join("/")}`;
