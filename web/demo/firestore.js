// What the demo page uses of the Firebase SDK. Everything else is left out of the bundle, as far as esbuild can tell.
export { initializeApp } from "firebase/app";
export { collection, connectFirestoreEmulator, getFirestore, limit, onSnapshot, orderBy, query } from "firebase/firestore";
