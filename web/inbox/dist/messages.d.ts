/** A text, or one for each plural category of the language. `{n}` and `{title}` are replaced. */
export type Message = string | ({
    other: string;
} & Partial<Record<Intl.LDMLPluralRule, string>>);
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
export declare const english: Messages;
export declare function say(messages: Messages, name: keyof Messages, values?: {
    n?: number;
    title?: string;
}): string;
