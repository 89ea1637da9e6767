/* What the poll watches the descriptors of channels for, and how often it has to report them. */
#include <errno.h>

#include "transport/links.h"

/* While it is put off, the poll is not to report it again and again. */
static void leave_poll(jz_channel *channel, jz_poll *poll)
{
    if (channel->is_unwatched || channel->is_told_once)
        return;
    jz_poll_remove(poll, channel->descriptor);
    channel->is_unwatched = true;
}

/* Whether it is enough that the poll reports what is new of this interest. */
static bool is_once_enough(const jz_channel *channel, unsigned interest)
{
    const unsigned input_once = JZ_READABLE | JZ_ONCE;
    return JZ_POLL_TELLS_ONCE && (interest & (input_once | JZ_WRITABLE)) == input_once && !channel->sees_end &&
           !channel->misses_news && !channel->tells_all;
}

/* Adds it to the poll, or changes what is there. */
static bool enter_poll(jz_channel *channel, jz_poll *poll, uint64_t token)
{
    bool was_unwatched = channel->is_unwatched;
    unsigned interest = channel->watched | (channel->is_told_once ? JZ_ONCE : 0);
    channel->is_unwatched = false;
    channel->misses_news = false;
    if (was_unwatched)
        return jz_poll_add(poll, channel->descriptor, interest, token);
    /* It may have been removed from the poll because of a hang-up. */
    return jz_poll_change(poll, channel->descriptor, interest, token) ||
           (errno == ENOENT && jz_poll_add(poll, channel->descriptor, interest, token));
}

bool jz_links_watch(jz_links *links, jz_poll *poll, int link, unsigned wanted, uint64_t token)
{
    jz_channel *channel = &links->channels[~link];
    if (channel->is_put_off) {
        leave_poll(channel, poll);
        return true;
    }
    bool is_asked = channel->channel != NULL && !channel->is_lost;
    unsigned interest = is_asked ? channel->transport->interest(channel->channel, wanted) : wanted;
    if ((wanted & JZ_READABLE) != 0)
        jz_links_follow_received(links, link);
    unsigned watched = interest & (JZ_READABLE | JZ_WRITABLE);
    bool is_told_once = is_once_enough(channel, interest);
    if (watched == channel->watched && is_told_once == channel->is_told_once && !channel->is_unwatched)
        return true;
    channel->watched = watched & 3;
    channel->is_told_once = is_told_once;
    return enter_poll(channel, poll, token);
}

void jz_links_unwatch(const jz_links *links, jz_poll *poll, int link)
{
    const jz_channel *channel = &links->channels[~link];
    if (!channel->is_unwatched && !channel->is_told_once)
        jz_poll_remove(poll, channel->descriptor);
}
