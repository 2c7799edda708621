import type { Messages } from "../messages";
declare const arabic: Messages;
export default arabic;
