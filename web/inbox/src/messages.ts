/** A text, or one for each plural category of the language. `{n}` and `{title}` are replaced. */
export type Message = string | ({ other: string } & Partial<Record<Intl.LDMLPluralRule, string>>);

/** Every text of the component, as data. */
export interface Messages {
  lang: string;
  dir: "ltr" | "rtl";
  title: string;
  bell: Message;
  all: string;
  unread: string;
  archived: string;
  readAll: string;
  archive: string;
  close: string;
  dismiss: string;
  loading: string;
  loadFailed: string;
  retry: string;
  emptyAll: string;
  emptyAllHint: string;
  emptyUnread: string;
  emptyUnreadHint: string;
  emptyArchived: string;
  emptyArchivedHint: string;
  away: string;
  refused: string;
  origin_refused: string;
  entryUnread: string;
  entryArchived: string;
  arrivedOne: string;
  arrivedMany: Message;
}

export const english: Messages = {
  lang: "en",
  dir: "ltr",
  title: "Notifications",
  bell: { one: "Notifications, {n} new", other: "Notifications, {n} new" },
  all: "All",
  unread: "Unread",
  archived: "Archived",
  readAll: "Mark all as read",
  archive: "Archive “{title}”",
  close: "Close",
  dismiss: "Dismiss",
  loading: "Loading …",
  loadFailed: "Older notifications could not be loaded.",
  retry: "Try again",
  emptyAll: "No notifications yet",
  emptyAllHint: "New notifications appear here as they arrive.",
  emptyUnread: "You have read everything",
  emptyUnreadHint: "New notifications appear here as they arrive.",
  emptyArchived: "Nothing archived",
  emptyArchivedHint: "Notifications that you archive are kept here.",
  away: "Reconnecting … What you mark now is saved later.",
  refused: "Your session has ended. Sign in again to see new notifications.",
  origin_refused: "This website’s address is not allowed to show your notifications. Its operator must allow it.",
  entryUnread: "Unread",
  entryArchived: "Archived: {title}",
  arrivedOne: "New notification: {title}",
  arrivedMany: { one: "{n} new notification", other: "{n} new notifications" },
};

export function say(messages: Messages, name: keyof Messages, values: { n?: number; title?: string } = {}): string {
  const message: Message = messages[name];
  const text = typeof message === "string" ? message : (message[new Intl.PluralRules(messages.lang).select(values.n ?? 0)] ?? message.other);
  const n = new Intl.NumberFormat(messages.lang).format(values.n ?? 0);
  return text.replace(/\{(n|title)\}/g, (_, key) => (key === "n" ? n : (values.title ?? "")));
}
