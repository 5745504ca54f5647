/* SPDX-License-Identifier: LGPL-2.1-or-later */
/*
 * The timing wheel; see wheel.h for why. It promises little: a link is called once, not long after its tick, and one
 * further away than the wheel goes round is called too early. Who is called looks at the clock and adds itself again.
 */
#include "transport/wheel.h"

static void
list_init (HarkWheelLink *head)
{
  head->next = head;
  head->prev = head;
}

void
hark_wheel_init (HarkWheel *self)
{
  self->current = 0;
  for (guint i = 0; i < HARK_WHEEL_SLOTS; i++)
    list_init (&self->slots[i]);
}

/**
 * hark_wheel_add:
 * @link: taken out of where it was, if it was anywhere
 * @ticks: in how many ticks; 0 is as 1, and what is beyond the wheel is called at its end
 */
void
hark_wheel_add (HarkWheel *self, HarkWheelLink *link, guint ticks)
{
  HarkWheelLink *head = &self->slots[(self->current + CLAMP (ticks, 1, HARK_WHEEL_SLOTS - 1)) % HARK_WHEEL_SLOTS];
  hark_wheel_remove (link);
  link->next = head;
  link->prev = head->prev;
  head->prev->next = link;
  head->prev = link;
}

/* Does nothing when @link lies in no slot. */
void
hark_wheel_remove (HarkWheelLink *link)
{
  if (link->next == NULL)
    return;
  link->next->prev = link->prev;
  link->prev->next = link->next;
  link->next = NULL;
  link->prev = NULL;
}

/**
 * hark_wheel_advance:
 * @func: called for each link of the next tick; the link is out of the wheel then, and @func may add and remove any
 */
void
hark_wheel_advance (HarkWheel *self, HarkWheelFunc func, gpointer data)
{
  HarkWheelLink *head;
  self->current = (self->current + 1) % HARK_WHEEL_SLOTS;
  head = &self->slots[self->current];
  while (head->next != head)
    {
      HarkWheelLink *link = head->next;
      hark_wheel_remove (link);
      func (link, data);
    }
}
