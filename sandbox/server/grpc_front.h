// SPDX-License-Identifier: Apache-2.0
// The gRPC servers: the gRPC C core in front of the world, one thread for all of them.
#ifndef SANDBOX_SERVER_GRPC_FRONT_H
#define SANDBOX_SERVER_GRPC_FRONT_H

#include "server/certificate.h"
#include "server/stage.h"

struct grpc_front;

// `stage` is borrowed. The caller ends it with grpc_front_free.
struct grpc_front *grpc_front_new(struct stage *stage);

// Listens on address:port for an endpoint, with TLS unless `certificate` (borrowed, copied) is NULL. Port 0
// takes a free one; *ret_port is that which is taken. To be called before grpc_front_start. ERROR_SYSTEM.
int grpc_front_listen(struct grpc_front *front, enum world_endpoint endpoint, const char *address,
                      unsigned port, const struct certificate *certificate, unsigned *ret_port,
                      struct error *error);

// Starts to serve in a thread of its own. ERROR_SYSTEM.
int grpc_front_start(struct grpc_front *front, struct error *error);

// Stops serving, cuts off what is in flight, frees. Accepts NULL.
void grpc_front_free(struct grpc_front *front);

#endif
