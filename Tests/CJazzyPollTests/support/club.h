/*
 * Several servers' presence and companies (pubsub/presence_company.h), joined by a bus of this program, with a clock
 * that the test moves: what they know of each other's members of one topic.
 */
#ifndef JAZZY_TESTS_CLUB_H
#define JAZZY_TESTS_CLUB_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "pubsub/company_parts.h"
#include "pubsub/presence_company.h"
#include "topic_set.h"

enum { CLUB_MOST = 4, CLUB_SEATS = 64, CLUB_TEXT = 1024 };

#define CLUB_TOPIC "room"

typedef struct club_message {
    struct club_message *next;
    size_t topic_length;
    size_t length;
    char bytes[]; /* the topic, and the message behind it */
} club_message;

typedef struct club_seat {
    char key[16];
    jz_attendee *attendee;
} club_seat;

struct club;

typedef struct club_server {
    struct club *club;
    jz_presence *presence;
    jz_company *company;
    bool runs;       /* it takes messages and turns */
    bool is_reached; /* by the bus */
    bool is_rung;
    uint64_t window_ms; /* when its window ends; 0: none began */
    uint64_t tick_ms;   /* when it ticks next; 0: it does not */
    topic_set topics;
    size_t wrong_topics; /* subscribed twice, or not subscribed and unsubscribed */
    club_message *first;
    club_message **end;
    club_seat seats[CLUB_SEATS];
    size_t seat_count;
    size_t told_count;  /* what a watch was told, added up: how many are there, */
    size_t told_wrong;  /* and how often that was not what it was told */
    size_t told_joined; /* how often anybody joined */
    size_t told_left;
} club_server;

typedef struct club {
    uint64_t now_ms;
    size_t count;
    size_t published;    /* messages, */
    size_t asks;         /* of them those that ask one server for a snapshot, */
    size_t snapshots;    /* last pieces, */
    size_t pieces;       /* and all pieces */
    size_t most_bytes;   /* of one */
    bool brings_back;    /* what a server has published comes to it, too */
    size_t lose_changes; /* so many of them do not arrive */
    size_t double_next;
    size_t refuse_next; /* so many topics cannot be subscribed */
    club_server servers[CLUB_MOST];
} club;

/* `limit`: of presence of each; 0 for plenty. */
void club_begin(club *club, size_t count, size_t limit, uint32_t max_members);
void club_finish(club *club);

/* Puts another server in the place of one that does not run any more. */
void club_replace(club *club, size_t number);

void club_enter(club *club, size_t number, const char *key, const char *info);
void club_leave(club *club, size_t number, const char *key);

/* It stops without a word: what it has is gone, but nobody is told. */
void club_crash(club *club, size_t number);

/* It ends as servers do: all leave, and it says so. */
void club_end(club *club, size_t number);

/* The bus does not reach it, or does again and says so. */
void club_reach(club *club, size_t number, bool is_reached);

void club_watch(club *club, size_t number);

/* Lets time pass: messages arrive at once. */
void club_pass(club *club, uint64_t ms);

/* Who is known there: "ann=A,bob=B", in the order of the keys. It is overwritten by the next call. */
const char *club_members(club *club, size_t number);

/*
 * Plays a script, words with a blank between them, and asserts what it says:
 *
 *     0+ann=A   at server 0 ann enters     0-ann   one leaves             1?      server 1 is asked who is there
 *     1w        a watch begins             0!      it crashes             0.      it ends in order
 *     1x        the bus loses it           1o      and has it back        >250    milliseconds pass
 *     1r        it is another one          1:a=A   so it is, no more and no less
 *     1t2       it was told 2 times that somebody had joined or left, since that was asked last
 */
void club_play(club *club, const char *name, const char *script);

#endif
