#include "hall.h"

#include "codec/frame_header.h"
#include "serving.h"
#include "testing.h"

static void listen_only(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    hall *hall = context;
    (void)message;
    if (event->type == JZ_EVENT_OPEN) {
        jz_ws_subscribe(ws, HALL_ROOM);
        pthread_mutex_lock(&hall->lock);
        hall->members[hall->count] = ws;
        hall->count++;
        pthread_mutex_unlock(&hall->lock);
    } else if (event->type == JZ_EVENT_CLOSE) {
        hall->closed_by_application += event->cause == JZ_CAUSE_APPLICATION ? 1 : 0;
        hall->closes++;
    }
}

static void speak(void *context, jz_ws ws, const jz_event *event, const jz_message *message)
{
    hall *hall = context;
    (void)message;
    if (event->type != JZ_EVENT_MESSAGE)
        return;
    hall->speaker = ws;
    hall->speak(hall);
    hall->has_spoken = true;
}

static void hear(void *context, size_t number, uint8_t opcode, const uint8_t *start, size_t length)
{
    hall *hall = context;
    hall->disorders += hall->codes[number] != 0 ? 1 : 0;
    hall->texts[number] += opcode == JZ_OPCODE_TEXT ? 1 : 0;
    if (opcode != JZ_OPCODE_CLOSE || length < 2)
        return;
    hall->codes[number] = (uint16_t)(start[0] << 8 | start[1]);
    hall->closed++;
    hall->enough += length == 8 && memcmp(start + 2, "enough", 6) == 0 ? 1 : 0;
}

void hall_open(hall *hall, uint32_t loops, size_t size, void (*say)(struct hall *hall))
{
    memset(hall, 0, sizeof *hall);
    assert_int_equal(pthread_mutex_init(&hall->lock, NULL), 0);
    hall->speak = say;
    hall->size = size;
    jz_options options = serving_options(loops);
    options.mailbox_limit = 64 * 1024;
    const serving_route routes[] = {{"/in", listen_only, hall, NULL}, {"/speak", speak, hall, NULL}};
    hall->server = serving_start(&options, routes, COUNT_OF(routes));
    assert_true(fleet_start(&hall->fleet, size + 1, hear, hall));
    for (size_t i = 0; i <= size; i++)
        assert_true(fleet_open(&hall->fleet, i, jz_server_port(hall->server), i < size ? "/in" : "/speak", 0));
    assert_turning(&hall->fleet, hall->count == size);
}

void hall_let_speak(hall *hall)
{
    assert_true(fleet_send(&hall->fleet, hall->size, JZ_OPCODE_TEXT, "go", 2));
    assert_turning(&hall->fleet, hall->has_spoken);
}

void hall_leave(hall *hall)
{
    for (size_t i = 0; i < hall->size; i++)
        fleet_close(&hall->fleet, i);
    assert_turning(&hall->fleet, hall->closes == hall->size);
}

void hall_finish(hall *hall)
{
    fleet_finish(&hall->fleet);
    jz_server_destroy(hall->server);
    pthread_mutex_destroy(&hall->lock);
}

size_t hall_open_members(const hall *hall)
{
    size_t open = 0;
    for (size_t i = 0; i < hall->size; i++)
        open += jz_ws_is_open(hall->members[i]) ? 1 : 0;
    return open;
}

size_t hall_closed_with(const hall *hall, uint16_t code)
{
    size_t count = 0;
    for (size_t i = 0; i < hall->size; i++)
        count += hall->codes[i] == code ? 1 : 0;
    return count;
}
