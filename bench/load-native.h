/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include "load-protocol.h"

/*
 * Finding things in the native protocol's messages without parsing them: what the scenarios that speak it alone share.
 * Their connections do more on joining than the table of protocols has words for, so each brings a protocol of its own.
 */

/* Returns: (nullable): what follows @text */
const uint8_t *load_native_find (const uint8_t *data, size_t len, const char *text);
/* The integer that follows @text, quoted or not. Returns: whether there is one */
bool load_native_find_integer (const uint8_t *data, size_t len, const char *text, int64_t *value);
bool load_native_is (const uint8_t *data, size_t len, const char *type);
void load_native_path (LoadConn *conn, char *out, size_t size);
void load_native_upgraded (LoadConn *conn);
/* Turns until *@done has reached @wanted. Returns: %false when nothing has come for as long as the options' patience */
bool load_native_run_until (LoadEngine *engine, const uint64_t *done, uint64_t wanted);
