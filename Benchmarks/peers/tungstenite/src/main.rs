//! An echo server on Rust's tokio-tungstenite, for comparison.
//!
//!     tungstenite --port N
//!
//! One task a connection, on a runtime of one thread: servers are compared on one core.

use futures_util::{SinkExt, StreamExt};
use tokio::net::{TcpListener, TcpStream};
use tokio_tungstenite::accept_async;

async fn echo(stream: TcpStream) {
    let _ = stream.set_nodelay(true);
    let Ok(mut connection) = accept_async(stream).await else {
        return;
    };
    while let Some(Ok(message)) = connection.next().await {
        if (message.is_text() || message.is_binary()) && connection.send(message).await.is_err() {
            return;
        }
    }
}

async fn serve(port: u16) -> std::io::Result<()> {
    let listener = TcpListener::bind(("0.0.0.0", port)).await?;
    println!("listening on port {port}");
    loop {
        let (stream, _) = listener.accept().await?;
        tokio::spawn(echo(stream));
    }
}

fn main() -> std::io::Result<()> {
    let mut arguments = std::env::args().skip(1);
    let port = match (arguments.next().as_deref(), arguments.next()) {
        (Some("--port"), Some(port)) => port.parse().expect("a port"),
        _ => panic!("usage: tungstenite --port N"),
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_io()
        .build()?;
    runtime.block_on(serve(port))
}
