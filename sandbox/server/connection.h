// SPDX-License-Identifier: Apache-2.0
// What the gRPC C core cannot do to a connection: its sockets belong to it, but a peer's address finds them.
#ifndef SANDBOX_SERVER_CONNECTION_H
#define SANDBOX_SERVER_CONNECTION_H

// `peer` as grpc_call_get_peer gives it: "ipv4:127.0.0.1:40000". Nothing happens if it is gone.

// The peer gets a TCP reset.
void connection_reset(const char *peer);

// The peer gets what was written so far, then the end of the stream.
void connection_end(const char *peer);

// The peer gets bytes that are neither HTTP nor TLS, then the end of the stream.
void connection_garbage(const char *peer);

#endif
