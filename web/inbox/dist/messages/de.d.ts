import type { Messages } from "../messages";
declare const german: Messages;
export default german;
