/**
 * Entry of a worker process. In a guest its argument is the serial line that the supervisor is at the other end of.
 */
import { ipcChannel, serialChannel } from "./channel.ts";
import { runWorker } from "./worker.ts";

const [device] = process.argv.slice(2);
runWorker(device === undefined ? ipcChannel() : serialChannel(device));
