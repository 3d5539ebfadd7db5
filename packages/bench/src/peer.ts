/** PEER_UNARY and PEER_STREAM are the methods of the bare grpc-js server that the daemon is held against. */
export const PEER_UNARY = '/bench.Peer/Unary';
export const PEER_STREAM = '/bench.Peer/Stream';

/** PEER_CHUNK_BYTES is the size of the daemon's chunks. */
export const PEER_CHUNK_BYTES = 256 * 1024;
/** PEER_CHUNKS is how many chunks a stream has: a vmlinux of Linux 6.18 takes as many. */
export const PEER_CHUNKS = 22;
