// Modules that are not TypeScript: esbuild imports stylesheets as text; the app brings the Firestore SDK.
declare module "*.css" {
  const text: string;
  export default text;
}
declare module "firebase/firestore";
