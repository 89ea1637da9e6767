#include "output/envelope.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "codec/base64.h"
#include "codec/json_text.h"

/* What is shorter cannot become longer than memory. */
enum { PART_OF_MEMORY = 4 * JZ_MOST_JSON_BYTES, SHORT_TEXT = 160 };

static char *put(char *place, const char *text, size_t length)
{
    memcpy(place, text, length);
    return place + length;
}

/* {"t":"<topic>", */
static size_t opening_length(jz_text topic)
{
    return strlen("{\"t\":\"\",") + jz_json_text_length(topic);
}

static char *put_opening(char *place, jz_text topic)
{
    place = put(place, "{\"t\":\"", 6);
    place = jz_json_text_write(topic, place);
    return put(place, "\",", 2);
}

jz_publication *jz_envelope_create(jz_text topic, uint64_t offset, const jz_publication *publication,
                                   jz_compression compression)
{
    size_t length;
    const uint8_t *payload = jz_publication_payload(publication, &length);
    if (topic.length > SIZE_MAX / PART_OF_MEMORY || length > SIZE_MAX / PART_OF_MEMORY)
        return NULL;
    const jz_text text = {(const char *)payload, length};
    bool is_text = jz_publication_kind(publication) == JZ_MESSAGE_TEXT;
    char middle[SHORT_TEXT];
    size_t middle_length =
        (size_t)snprintf(middle, sizeof middle, "\"o\":%" PRIu64 ",\"%c\":\"", offset, is_text ? 'd' : 'b');
    size_t data_length = is_text ? jz_json_text_length(text) : jz_base64_length(length);
    uint8_t *bytes;
    jz_publication *envelope = jz_publication_create_empty(
        JZ_MESSAGE_TEXT, opening_length(topic) + middle_length + data_length + 2, compression, &bytes);
    if (envelope == NULL)
        return NULL;
    char *place = put(put_opening((char *)bytes, topic), middle, middle_length);
    if (is_text)
        jz_json_text_write(text, place);
    else
        jz_base64_encode(payload, length, place);
    put(place + data_length, "\"}", 2);
    return envelope;
}

jz_publication *jz_envelope_announce(const jz_text *topic, const jz_subscribed *begins)
{
    char rest[SHORT_TEXT];
    size_t length = (size_t)snprintf(
        rest, sizeof rest, "\"epoch\":\"%016" PRIx64 "\",\"offset\":%" PRIu64 ",\"recovered\":%s,\"count\":%zu}",
        begins->position.epoch, begins->position.offset, begins->has_recovered ? "true" : "false", begins->count);
    if (topic != NULL && topic->length > SIZE_MAX / PART_OF_MEMORY)
        return NULL;
    size_t opening = topic != NULL ? opening_length(*topic) : 1;
    uint8_t *bytes;
    jz_publication *announcement =
        jz_publication_create_empty(JZ_MESSAGE_TEXT, opening + length, JZ_COMPRESSION_AUTOMATIC, &bytes);
    if (announcement == NULL)
        return NULL;
    if (topic != NULL)
        put_opening((char *)bytes, *topic);
    else
        bytes[0] = '{';
    put((char *)bytes + opening, rest, length);
    return announcement;
}
