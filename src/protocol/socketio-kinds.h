/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "protocol/socketio-namespace.h"

G_BEGIN_DECLS

/* The kinds of namespaces there are; other layers may bring more. */
extern const HarkSocketioKind hark_socketio_kind_root;          /* "/": the native protocol */
extern const HarkSocketioKind hark_socketio_kind_forward;       /* "/forward" */
extern const HarkSocketioKind hark_socketio_kind_notifications; /* "/notifications" */
extern const HarkSocketioKind hark_socketio_kind_chat;          /* "/chat": what one says all hear */
extern const HarkSocketioKind hark_socketio_kind_back_end;      /* declared: its events are for the back end */

G_END_DECLS
