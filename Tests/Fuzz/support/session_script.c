#include "session_script.h"

/* An offer and a route's options, and the resulting agreement. */
static void choose_deflate(session_script *script, fuzz_input *input)
{
    jz_deflate_options *options = &script->settings.deflate;
    options->mode = (jz_deflate_mode)fuzz_take_below(input, 3);
    options->window_bits = (uint8_t)(15 - fuzz_take_below(input, 7));
    uint8_t levels = fuzz_take_byte(input);
    options->memory_level = (uint8_t)(9 - (levels & 0xF) % 9);
    options->level = (uint8_t)(9 - (levels >> 4) % 9);

    uint8_t flags = fuzz_take_byte(input);
    jz_deflate_offer offer = {.server_no_context_takeover = (flags & 1) != 0,
                              .client_no_context_takeover = (flags & 2) != 0,
                              .has_client_max_window_bits = (flags & 4) == 0};
    if ((flags & 8) != 0)
        offer.server_max_window_bits = 9;
    if ((flags & 16) != 0 && offer.has_client_max_window_bits)
        offer.client_max_window_bits = 8;
    options->min_message_size = (flags & 32) != 0 ? 64 : 0;
    if (options->mode != JZ_DEFLATE_OFF)
        require(jz_deflate_agree(&offer, options, &script->agreement), "zlib has all these windows");
}

void session_script_choose(session_script *script, fuzz_input *input)
{
    static const size_t limits[] = {65536, 200000, 1000, 126, 125, 1};
    *script = (session_script){0};
    choose_deflate(script, input);
    script->settings.max_message_size = limits[fuzz_take_below(input, COUNT_OF(limits))];
    script->handler = (script_handler)fuzz_take_below(input, SCRIPT_HANDLERS);
    script->compression = (jz_compression)fuzz_take_below(input, 3);
    (void)fuzz_take_byte(input);
    for (size_t i = 0; i < SCRIPT_MAX_PARTS; i++) {
        size_t choice = fuzz_take_byte(input);
        script->parts[i] = choice < 128 ? choice : (choice - 127) * 64;
    }
}

void session_script_add_action(session_script *script, script_action_type type, uint8_t choice)
{
    if (script->action_count < SCRIPT_MAX_ACTIONS)
        script->actions[script->action_count++] =
            (script_action){.offset = script->bytes.length, .type = type, .choice = choice};
}
