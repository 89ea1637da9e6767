// An echo server on Boost.Beast, for comparison: beast --port N [--deflate].
//
// One thread, and so no strands; a flat buffer, so that a message is one piece; no time-outs, which cost a timer for each
// operation; text is checked as always.
#include <boost/asio.hpp>
#include <boost/beast.hpp>
#include <boost/beast/websocket.hpp>
#include <cstdlib>
#include <cstring>
#include <iostream>
#include <memory>

namespace asio = boost::asio;
namespace beast = boost::beast;
namespace websocket = beast::websocket;
using tcp = asio::ip::tcp;

class Session : public std::enable_shared_from_this<Session> {
public:
    Session(tcp::socket &&socket, bool uses_deflate) : stream(std::move(socket))
    {
        stream.next_layer().set_option(tcp::no_delay(true));
        stream.read_message_max(16 * 1024 * 1024);
        if (uses_deflate) {
            websocket::permessage_deflate deflate;
            deflate.server_enable = true;
            deflate.server_no_context_takeover = true;
            deflate.client_no_context_takeover = true;
            deflate.compLevel = 6;
            stream.set_option(deflate);
        }
    }

    void run()
    {
        stream.async_accept([self = shared_from_this()](beast::error_code error) {
            if (!error)
                self->read();
        });
    }

private:
    void read()
    {
        stream.async_read(buffer, [self = shared_from_this()](beast::error_code error, std::size_t) {
            if (!error)
                self->write();
        });
    }

    void write()
    {
        stream.text(stream.got_text());
        stream.async_write(buffer.data(), [self = shared_from_this()](beast::error_code error, std::size_t) {
            self->buffer.consume(self->buffer.size());
            if (!error)
                self->read();
        });
    }

    websocket::stream<tcp::socket> stream;
    beast::flat_buffer buffer;
};

static void accept(tcp::acceptor &acceptor, bool uses_deflate)
{
    acceptor.async_accept([&acceptor, uses_deflate](beast::error_code error, tcp::socket socket) {
        if (!error)
            std::make_shared<Session>(std::move(socket), uses_deflate)->run();
        accept(acceptor, uses_deflate);
    });
}

int main(int count, char **arguments)
{
    unsigned short port = 8080;
    bool uses_deflate = false;
    for (int i = 1; i < count; i++) {
        if (std::strcmp(arguments[i], "--port") == 0 && i + 1 < count) {
            port = static_cast<unsigned short>(std::atoi(arguments[++i]));
        } else if (std::strcmp(arguments[i], "--deflate") == 0) {
            uses_deflate = true;
        } else {
            std::cerr << "usage: beast --port N [--deflate]\n";
            return 2;
        }
    }
    try {
        asio::io_context context(1);
        tcp::acceptor acceptor(context, {tcp::v4(), port});
        accept(acceptor, uses_deflate);
        std::cout << "listening on port " << port << std::endl;
        context.run();
    } catch (const std::exception &error) {
        std::cerr << "beast: " << error.what() << "\n";
        return 1;
    }
}
