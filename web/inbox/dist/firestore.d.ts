import { type GetToken, type InboxSource } from "./types";
/** The functions of "firebase/firestore" that this source uses. */
export interface FirestoreSdk {
    collection(db: never, path: string, ...segments: string[]): unknown;
    query(collection: never, ...constraints: never[]): unknown;
    orderBy(field: string, direction: "desc"): unknown;
    limit(count: number): unknown;
    onSnapshot(query: never, options: {
        includeMetadataChanges: true;
    }, next: (snapshot: never) => void, failed: (error: never) => void): () => void;
}
export interface FirestoreOptions {
    /** The publisher's address: pages, counts and marks go through its API. */
    url: string;
    /** Returns the user's inbox token for that API. Firestore itself uses the user who is signed in to Firebase. */
    getToken: GetToken;
    /** "firebase/firestore", for pages without a bundler. Without it the module is imported when it is needed. */
    sdk?: FirestoreSdk;
}
/** Entries from Firestore's `users/{uid}/inbox`, which the browser listens to directly. */
export declare function firestoreSource(db: unknown, uid: string, { url, getToken, sdk }: FirestoreOptions): InboxSource;
