/* A thread outside of the loops, and its calls of the server. */
#include <sched.h>
#include <time.h>

#include "../Fuzz/support/require.h"
#include "scene.h"

/* Without the lock, because the thread that takes the answer may be waiting for it. */
static void answer_question(scene *scene)
{
    pthread_mutex_lock(&scene->questions_lock);
    bool has_one = scene->question_count > 0;
    size_t last = has_one ? --scene->question_count : 0;
    jz_handshake question = scene->questions[last];
    client *asker = scene->askers[last];
    pthread_mutex_unlock(&scene->questions_lock);
    if (has_one && !scene_answer(scene, question, asker, true))
        scene_keep_question(scene, question, asker);
}

static void act_on(scene *scene, client *client, test_random *random)
{
    uint8_t topic = (uint8_t)test_random_below(random, SCENE_TOPICS);
    size_t length =
        test_random_below(random, 4) == 0 ? test_random_below(random, 20000) : test_random_below(random, 200);
    switch (test_random_below(random, 12)) {
    case 0:
    case 1:
    case 2:
        scene_send(scene, client, JZ_MESSAGE_TEXT, length);
        break;
    case 3:
        scene_publish(scene, client, topic, length);
        break;
    case 4:
        scene_publish(scene, NULL, topic, length);
        break;
    case 5:
    case 6:
        scene_subscribe(client, topic, true);
        break;
    case 7:
        scene_subscribe(client, topic, false);
        break;
    case 8:
        scene_pause(scene, client, true);
        break;
    default:
        scene_pause(scene, client, false);
        break;
    }
}

/* Each is a client that has opened, and may be subscribed; and is there once. */
static void look_at_subscribers(scene *scene, uint8_t topic)
{
    jz_ws found[SCENE_CLIENTS];
    size_t count = scene_subscribers(scene, topic, found, SCENE_CLIENTS);
    require(count <= SCENE_CLIENTS, "no more have subscribed than there are");
    for (size_t i = 0; i < count; i++) {
        size_t times = 0;
        for (size_t j = 0; j < count; j++)
            times += found[j].value == found[i].value ? 1 : 0;
        require(times == 1, "who has subscribed is there once");
        bool is_known = false;
        for (size_t j = 0; j < SCENE_CLIENTS; j++) {
            client *client = &scene->clients[j];
            pthread_mutex_lock(&client->lock);
            is_known |= client->ws.value == found[i].value && client->may_be_subscribed[topic];
            pthread_mutex_unlock(&client->lock);
        }
        require(is_known, "who has subscribed has opened, and asked for it");
    }
}

/* Seldom, because it ends many of the scene's clients. */
static void act_on_topic(scene *scene, test_random *random)
{
    uint8_t topic = (uint8_t)test_random_below(random, SCENE_TOPICS);
    if (test_random_below(random, 20) == 0)
        scene_close_topic(scene, topic);
    else
        look_at_subscribers(scene, topic);
}

void *act_outside(void *context)
{
    const struct timespec moment = {.tv_nsec = 300000};
    scene *scene = context;
    test_random random = {scene->seed ^ 0x0175};
    faults_spare();
    while (!scene->is_over) {
        answer_question(scene);
        if (scene->is_ending) {
            for (size_t i = 0; i < SCENE_CLIENTS; i++)
                scene_pause(scene, &scene->clients[i], false);
        } else if (test_random_below(&random, 10) == 0) {
            act_on_topic(scene, &random);
        } else {
            act_on(scene, &scene->clients[test_random_below(&random, SCENE_CLIENTS)], &random);
        }
        nanosleep(&moment, NULL);
    }
    faults_spare_no_more();
    return NULL;
}
