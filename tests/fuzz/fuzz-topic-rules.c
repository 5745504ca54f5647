/* SPDX-License-Identifier: LGPL-2.1-or-later */
/* Rules about topics: whatever the text is, it is a rule or an error that says why. */
#include "chat/topic-rules.h"

#include <stdint.h>

int LLVMFuzzerTestOneInput (const uint8_t *data, size_t size);

int
LLVMFuzzerTestOneInput (const uint8_t *data, size_t size)
{
  g_autofree char *text = g_strndup ((const char *)data, size);
  g_autoptr (GError) error = NULL;
  gboolean is_rule = hark_topic_rule_parse_check (text, &error);
  g_assert_true (is_rule == (error == NULL));
  return 0;
}
