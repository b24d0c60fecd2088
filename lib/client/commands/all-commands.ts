/** All typed commands: the last link of the chain in `methods/`. */
export { JsonCommands as AllCommands } from './methods/json.js';
