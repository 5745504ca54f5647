/* SPDX-License-Identifier: LGPL-2.1-or-later */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#define LOAD_MAX_PIDS 16
#define LOAD_MAX_CHANNELS 16

typedef struct
{
  char *token;
  char *user;
} LoadAccount;

/* The command line, as it is; see load.c for what each means and what it is without being given. */
typedef struct
{
  const char *scenario;
  const char *protocol;
  const char *label;
  const char *host;
  uint16_t port;
  int cpu;

  pid_t pids[LOAD_MAX_PIDS];
  size_t n_pids;
  bool tree;
  int settle_signal;

  uint32_t clients;
  uint32_t publishers;
  uint32_t window;
  bool window_by_ack;
  uint32_t idle;
  uint32_t watchers;
  double rate;
  uint64_t messages;
  double seconds;
  double warmup;
  size_t size;
  uint32_t concurrency;
  double patience;

  LoadAccount *accounts;
  size_t n_accounts;
  const char *server;
  const char *channels[LOAD_MAX_CHANNELS];
  size_t n_channels;
} LoadOptions;
