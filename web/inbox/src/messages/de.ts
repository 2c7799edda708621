import type { Messages } from "../messages";

const german: Messages = {
  lang: "de",
  dir: "ltr",
  title: "Mitteilungen",
  bell: { one: "Mitteilungen, {n} neue", other: "Mitteilungen, {n} neue" },
  all: "Alle",
  unread: "Ungelesen",
  archived: "Archiv",
  readAll: "Alle als gelesen markieren",
  archive: "„{title}“ archivieren",
  close: "Schließen",
  dismiss: "Ausblenden",
  loading: "Wird geladen …",
  loadFailed: "Ältere Mitteilungen konnten nicht geladen werden.",
  retry: "Erneut versuchen",
  emptyAll: "Noch keine Mitteilungen",
  emptyAllHint: "Neue Mitteilungen erscheinen hier, sobald sie eintreffen.",
  emptyUnread: "Alles gelesen",
  emptyUnreadHint: "Neue Mitteilungen erscheinen hier, sobald sie eintreffen.",
  emptyArchived: "Nichts archiviert",
  emptyArchivedHint: "Archivierte Mitteilungen werden hier aufbewahrt.",
  away: "Verbindung wird wiederhergestellt … Ihre Änderungen werden später gespeichert.",
  refused: "Ihre Sitzung ist beendet. Melden Sie sich erneut an, um neue Mitteilungen zu sehen.",
  origin_refused: "Die Adresse dieser Website darf Ihre Mitteilungen nicht anzeigen. Ihr Betreiber muss sie freigeben.",
  entryUnread: "Ungelesen",
  entryArchived: "Archiviert: {title}",
  arrivedOne: "Neue Mitteilung: {title}",
  arrivedMany: { one: "{n} neue Mitteilung", other: "{n} neue Mitteilungen" },
};

export default german;
